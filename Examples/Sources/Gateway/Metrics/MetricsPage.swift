import CostLedger
import Spillway

/// The counts in Prometheus' text format.
struct MetricsPage: Sendable {
    let counts: Metrics.Snapshot
    let upstreams: [Upstream]
    let routes: [Route]
    /// Nil: nothing is priced.
    let ledger: Ledger?
    /// Nil: there are none, or nobody knows.
    var jobs: JobCounts?

    /// The page.
    var text: String {
        var text: [String] = []
        func family(
            _ name: String, _ type: String, _ help: String,
            _ samples: [(labels: [String: String], some CustomStringConvertible)]
        ) {
            text += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
            text += samples.map { "\(name)\(Self.labels($0.labels)) \($0.1)" }.sorted()
        }
        family(
            "gateway_requests_total", "counter", "Requests by model, outcome and reason.",
            counts.requests.map { (["model": $0.model, "outcome": $0.outcome, "reason": $0.reason], $1) })
        family(
            "gateway_upstream_attempts_total", "counter", "Calls to upstreams that ended, by cause.",
            counts.attempts.map { (["upstream": $0.upstream, "cause": $0.cause], $1) })
        family(
            "gateway_upstream_refusals_total", "counter",
            "Attempts without a call: no replica took them, or what they hold could not be stored.",
            counts.uncalled.map { (["upstream": $0], $1) })
        family(
            "gateway_tokens_total", "counter", "Tokens of attempts, by who counted them.",
            counts.tokens.map {
                (["upstream": $0.upstream, "model": $0.model, "kind": $0.kind, "source": $0.source], $1)
            })
        family(
            "gateway_breaker_state", "gauge", "1 for the state that an upstream's breaker is in.",
            upstreams.compactMap { upstream in
                upstream.breaker.map { (["upstream": upstream.name, "state": $0.currentState.rawValue], 1) }
            })
        family(
            "gateway_concurrency_limit", "gauge", "Calls that an upstream is asked at once at most.",
            upstreams.compactMap { upstream in upstream.limit.map { (["upstream": upstream.name], $0.limit) } })
        let now = SystemTime().now
        let replicas = upstreams.flatMap { upstream in
            (upstream.fleet?.standings(at: now) ?? []).map { standing in
                (["upstream": upstream.name, "replica": standing.member.name], standing)
            }
        }
        if !replicas.isEmpty {
            family(
                "gateway_replica_calls", "gauge", "Calls that are with a replica.",
                replicas.map { ($0, $1.calls) })
            family(
                "gateway_replica_pending_tokens", "gauge", "Tokens that calls have yet to compute before their first.",
                replicas.map { ($0, $1.pendingTokens) })
            family(
                "gateway_replica_tokens_per_second", "gauge",
                "Tokens ahead of a first one that a replica computes in a second, as its calls showed.",
                replicas.compactMap { labels, standing in standing.tokensPerSecond.map { (labels, Int($0)) } })
            family(
                "gateway_replica_phase", "gauge", "1 for the phase that a replica with health checks is in.",
                replicas.compactMap { labels, standing in
                    standing.phase.map { (labels.merging(["phase": $0.rawValue]) { $1 }, 1) }
                })
        }
        if upstreams.contains(where: { $0.fleet != nil }) {
            family(
                "gateway_session_turns_total", "counter",
                "Answers in sessions, by whether the session's replica gave them.",
                counts.turns.map { (["upstream": $0.upstream, "result": $0.result], $1) })
            family(
                "gateway_session_store_failures_total", "counter", "Sessions that could not be read or written.",
                counts.sessionFailures.map { (["operation": $0], $1) })
        }
        let advice = upstreams.compactMap { upstream in
            upstream.advice(at: now).map { (["upstream": upstream.name], $0) }
        }
        if !advice.isEmpty {
            family(
                "gateway_fleet_replicas_recommended", "gauge", "Replicas that a fleet should have.",
                advice.map { ($0, $1.replicas) })
            family(
                "gateway_fleet_replicas_reason", "gauge", "1 for what settled how many replicas are recommended.",
                advice.map { ($0.merging(["reason": "\($1.reason)"]) { $1 }, 1) })
            family(
                "gateway_fleet_demand_calls_per_second", "gauge",
                "Calls that are foreseen at the busiest while a replica starts.",
                advice.flatMap { labels, advice in
                    (advice.demand.map { [("expected", $0.perSecond), ("upper", $0.upper)] } ?? []).map {
                        bound, value in
                        (labels.merging(["bound": bound]) { $1 }, value)
                    }
                })
        }
        let queues = routes.compactMap { route in route.queue.map { (route.name, $0.standing(at: now)) } }
        family(
            "gateway_queue_waiting", "gauge", "Calls that wait for upstreams that are full.",
            queues.flatMap { name, standing in
                standing.waiting.map { (["model": name, "criticality": "\($0)"], $1) }
            })
        family(
            "gateway_queue_oldest_seconds", "gauge", "The longest wait of those that wait.",
            queues.map { (["model": $0], $1.oldest / .seconds(1)) })
        let ladders = routes.compactMap { route in route.ladder.map { (route.name, $0.router) } }
        if !ladders.isEmpty {
            family(
                "gateway_tier_calls_total", "counter", "Calls of ladders, by the tier of their last attempt.",
                counts.tierCalls.map { (["model": $0.model, "tier": $0.tier, "outcome": $0.outcome], $1) })
            family(
                "gateway_tier_steps_total", "counter", "Calls that a tier did not serve, by reason.",
                counts.tierSteps.map { (["model": $0.model, "tier": $0.tier, "reason": $0.reason], $1) })
            family(
                "gateway_mode_changes_total", "counter", "Times that a ladder began at another tier from then on.",
                counts.modeChanges.map { (["model": $0.model, "from": $0.from, "to": $0.to], $1) })
            family(
                "gateway_mode", "gauge", "1 for the tier at which a ladder begins now.",
                ladders.map { name, router in (["model": name, "tier": router.mode.tier], 1) })
        }
        let caches = routes.compactMap { route in route.ladder?.kept.map { (route.name, $0.counts) } }
        if !caches.isEmpty {
            family(
                "gateway_cache_lookups_total", "counter", "Calls that came to a cache, by what it had.",
                caches.flatMap { name, counts in
                    [("fresh", counts.hits), ("stale", counts.stale), ("nothing", counts.misses)].map {
                        (["model": name, "result": $0.0], $0.1)
                    }
                })
            family(
                "gateway_cache_bytes", "gauge", "Bytes of answers that are kept.",
                caches.map { (["model": $0], $1.bytes) })
        }
        if let jobs {
            family(
                "gateway_jobs", "gauge", "Jobs that are kept, by state.",
                [("waiting", jobs.waiting), ("running", jobs.running), ("ended", jobs.ended)].map {
                    (["state": $0.0], $0.1)
                })
        }
        family("gateway_in_flight", "gauge", "Requests that are with the upstreams.", [([:], counts.inFlight)])
        if let ledger {
            let (holds, held) = ledger.open
            family(
                "gateway_spend_dollars_total", "counter", "What attempts have cost, by who counted what they used.",
                counts.spend.map {
                    (["upstream": $0.upstream, "model": $0.model, "source": $0.source], $1.digits)
                })
            family("gateway_ledger_holds", "gauge", "Attempts that money is held for.", [([:], holds)])
            family("gateway_ledger_held_dollars", "gauge", "Money that is held for attempts.", [([:], held.digits)])
            family(
                "gateway_ledger_refusals_total", "counter", "Calls that nobody paid for, by reason.",
                counts.unpaid.map { (["reason": $0], $1) })
            family(
                "gateway_ledger_store_failing", "gauge", "1 while what calls cost cannot be stored.",
                [([:], ledger.storeFailure == nil ? 0 : 1)])
        }
        return (text + histogram).joined(separator: "\n") + "\n"
    }

    private var histogram: [String] {
        let name = "gateway_first_content_seconds"
        var lines = [
            "# HELP \(name) Time from the request to the commit point of a stream; whole answers are not in it.",
            "# TYPE \(name) histogram",
        ]
        var total = 0
        for (bound, count) in zip(Metrics.bounds.map { "\($0)" } + ["+Inf"], counts.firstContent) {
            total += count
            lines.append("\(name)_bucket{le=\"\(bound)\"} \(total)")
        }
        return lines + ["\(name)_sum \(counts.firstContentSeconds)", "\(name)_count \(total)"]
    }

    private static func labels(_ labels: [String: String]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.sorted { $0.key < $1.key }.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(name)=\"\(escaped)\""
        }
        return "{\(pairs.joined(separator: ","))}"
    }
}
