import CostLedger
import Spillway

/// The fleets as the operator sees them.
struct FleetPage: Encodable {
    /// What an engine said, and how long ago.
    struct Said: Encodable {
        let value: Double
        let ageSeconds: Double

        /// Nil for what was never said.
        init?(_ value: Double?, _ signal: EngineLoad.Signal, of load: EngineLoad, at now: Instant) {
            guard let value, let age = load.age(of: signal, at: now) else { return nil }
            self.value = value
            ageSeconds = age / .seconds(1)
        }
    }

    /// What an engine said last of its load.
    struct Load: Encodable {
        let waiting: Said?
        let running: Said?
        let kvUse: Said?
        let preemptions: Said?
    }

    /// What has come of draining a replica.
    struct Drain: Encodable {
        /// `draining`, `drained` or `taken_back`.
        let state: String
        /// Until what runs is to be handed over; nil: that is past, or the drain is over.
        let secondsLeft: Double?
        let running: Int
        let finished: Int
        let handedOver: Int
        let lost: Int
        let left: Int

        /// The report at `now`.
        init(_ report: DrainReport, at now: Instant) {
            state = report.undone != nil ? "taken_back" : report.ended != nil ? "drained" : "draining"
            let rest = now.duration(to: report.deadline)
            secondsLeft = report.isFinal || rest < .zero ? nil : rest / .seconds(1)
            running = report.running
            finished = report.finished
            handedOver = report.handedOver
            lost = report.lost
            left = report.left
        }
    }

    /// A replica.
    struct Member: Encodable {
        let name: String
        let address: String
        let zone: String?
        let region: String?
        let model: String?
        let version: String?
        let weight: Double
        /// In the list's own unit; nil: it is not known.
        let costPerHour: Double?
        /// Nil: there are no health checks.
        let phase: String?
        let reason: String?
        let sinceSeconds: Double?
        let share: Double?
        let vetoes: [String]?
        let streams: Int?
        let drain: Drain?
        let calls: Int
        /// Calls of the gateway whose first token has not come; `load.waiting` is what the engine says of all clients' calls.
        let waiting: Int
        let oldestWaitSeconds: Double
        let pendingTokens: Int
        let heldTokens: Int
        let tokensPerSecond: Double?
        let answerTokensPerSecond: Double?
        let knownPrefixes: Int
        let load: Load

        /// How a replica stands at `now`.
        init(_ standing: ReplicaStanding, _ status: HealthStatus?, at now: Instant) {
            let member = standing.member, said = standing.load
            name = member.name
            address = member.address
            zone = member.zone
            region = member.region
            model = member.model
            version = member.version.map { "\($0)" }
            weight = member.weight
            costPerHour = member.costPerHour
            phase = (status?.phase ?? standing.phase)?.rawValue
            reason = status?.reason.rawValue
            sinceSeconds = status.map { max(.zero, $0.since.duration(to: now)) / .seconds(1) }
            share = status?.share
            vetoes = status?.vetoes.map { "\($0)" }
            streams = status?.streams
            drain = standing.drain.map { Drain($0, at: now) }
            calls = standing.calls
            waiting = standing.waiting
            oldestWaitSeconds = standing.oldestWait / .seconds(1)
            pendingTokens = standing.pendingTokens
            heldTokens = standing.heldTokens
            tokensPerSecond = standing.tokensPerSecond
            answerTokensPerSecond = standing.answerTokensPerSecond
            knownPrefixes = standing.knownPrefixes
            load = Load(
                waiting: Said(said.waiting.map(Double.init), .waiting, of: said, at: now),
                running: Said(said.running.map(Double.init), .running, of: said, at: now),
                kvUse: Said(said.kvUse, .kvUse, of: said, at: now),
                preemptions: Said(said.preemptions.map(Double.init), .preemptions, of: said, at: now))
        }
    }

    /// How many replicas a fleet should have.
    struct Capacity: Encodable {
        let replicas: Int
        let running: Int
        let reason: String
        let needed: Int?
        let spares: Int?
        /// Calls a second: what is expected at the busiest while a replica starts, and between what.
        let demand: Demand?
        let idleShare: Double?
        /// Nil: it is not known what a replica costs.
        let dollarsPerHour: String?

        struct Demand: Encodable {
            let expected: Double
            let lower: Double
            let upper: Double
        }

        /// What is advised where so many are there.
        init(_ advice: ReplicaAdvice, running: Int) {
            replicas = advice.replicas
            self.running = running
            reason = "\(advice.reason)"
            needed = advice.needed
            spares = advice.spares
            demand = advice.demand.map { Demand(expected: $0.perSecond, lower: $0.lower, upper: $0.upper) }
            idleShare = advice.idleShare
            let cost = Money(nanodollars: advice.nanoDollarsPerHour)
            dollarsPerHour = cost == .zero ? nil : cost.digits
        }
    }

    /// A fleet.
    struct Fleet: Encodable {
        let name: String
        let rule: String
        let zone: String?
        /// Nil: nobody asks how many there should be.
        let capacity: Capacity?
        /// Why a call would be refused now; nil: it would not.
        let refuses: String?
        /// Why the list of replicas could not be had the last time; nil: it could, or the file is that list.
        let listProblem: String?
        /// Replicas that may be taken away, dearest first; nil: nobody asks.
        let idle: [String]?
        let members: [Member]
        /// Replicas that are wanted no more and have calls yet.
        let leaving: [Member]

        /// How a fleet stands at `now`, and what is advised.
        init(
            _ fleet: GPUClient.Fleet, _ advice: ReplicaAdvice?, at now: Instant, roster: Roster? = nil,
            idle: Configuration.Replicas.Idle? = nil
        ) {
            self.idle = idle.map { fleet.idle(for: $0.span, keeping: $0.kept, at: now).map(\.name) }
            refuses = fleet.refusal(at: now).map { "\($0)" }
            listProblem = roster?.problem
            name = fleet.name
            rule = fleet.configuration.rule.rawValue
            zone = fleet.configuration.zone
            capacity = advice.map { Capacity($0, running: fleet.members.count) }
            members = fleet.standings(at: now).map {
                Member($0, fleet.health(of: $0.member.name)?.status(at: now), at: now)
            }
            leaving = fleet.leaving(at: now).map { Member($0, nil, at: now) }
        }
    }

    let fleets: [Fleet]
}

extension FleetPage {
    /// How the fleets among `upstreams` stand at `now`.
    init(_ upstreams: [Upstream], at now: Instant) {
        self.init(
            fleets: upstreams.compactMap { upstream in
                upstream.fleet.map {
                    Fleet($0, upstream.advice(at: now), at: now, roster: upstream.roster, idle: upstream.idle)
                }
            })
    }
}
