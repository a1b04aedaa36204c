import Spillway
import SpillwayTesting

/// One policy against the calls of one seed at one load.
///
/// An event loop over engines that are pure state machines: the next arrival, the next step of an engine, the next caller who
/// gives up, whichever is first. A call goes to the replica with the fewest calls in flight; when that refuses, to the next.
struct OverloadRun {
    private struct Engine {
        var model: EngineModel
        let limiter: any OverloadLimiter
        /// The call of each id, which are counted from 1.
        var calls: [Int] = []
        var inFlight = 0
    }

    private struct Work {
        var replica = 0
        var id = 0
        var ticket: OverloadTicket?
        var first: Instant?
    }

    private let trace: OverloadTrace
    private let settings: OverloadSettings
    private let from: Instant
    private var engines: [Engine]
    private var work: [Work]
    private(set) var counts = OverloadCounts()

    static func play(
        _ policy: OverloadPolicy, _ trace: OverloadTrace, _ settings: OverloadSettings
    ) throws -> OverloadCounts {
        var run = try OverloadRun(policy, trace, settings)
        run.play()
        return run.counts
    }

    private init(_ policy: OverloadPolicy, _ trace: OverloadTrace, _ settings: OverloadSettings) throws {
        self.trace = trace
        self.settings = settings
        from = .seconds(1 + settings.warmUp)
        let engine = try settings.engine.model()
        engines = try (0..<settings.replicas).map { _ in
            Engine(model: EngineModel(engine, at: .seconds(1)), limiter: try policy.limiter(settings))
        }
        work = Array(repeating: Work(), count: trace.arrivals.count)
    }

    private mutating func play() {
        let end = Instant.seconds(1 + settings.seconds)
        var arriving = 0
        // Callers give up in the order in which they came.
        var waiting = 0
        while true {
            var next = end
            if arriving < trace.arrivals.count { next = min(next, trace.arrivals[arriving].at) }
            while waiting < arriving, work[waiting].ticket == nil || work[waiting].first != nil { waiting += 1 }
            if waiting < arriving { next = min(next, patience(of: waiting)) }
            for engine in engines { if let due = engine.model.nextDue { next = min(next, due) } }
            guard next < end else { return }
            for replica in engines.indices { advance(replica, to: next) }
            if waiting < arriving, work[waiting].first == nil, patience(of: waiting) <= next {
                giveUp(waiting, at: next)
            }
            while arriving < trace.arrivals.count, trace.arrivals[arriving].at <= next {
                arrive(arriving, at: next)
                arriving += 1
            }
        }
    }

    private func patience(of call: Int) -> Instant {
        trace.arrivals[call].at.advanced(by: .seconds(settings.patience))
    }

    private mutating func arrive(_ call: Int, at now: Instant) {
        if now >= from { counts.arrived += 1 }
        // Ties go to the lower number, so that the same seed gives the same run.
        let order = engines.indices.sorted { (engines[$0].inFlight, $0) < (engines[$1].inFlight, $1) }
        for replica in order {
            guard let ticket = engines[replica].limiter.admit(at: now) else { continue }
            do throws(EngineModel.Refusal) {
                let id = try engines[replica].model.submit(trace.arrivals[call].request, at: now)
                engines[replica].calls.append(call)
                engines[replica].inFlight += 1
                work[call] = Work(replica: replica, id: id, ticket: ticket)
            } catch {
                let end = OverloadEnd(outcome: .failure(.overloaded), measured: Measurements())
                engines[replica].limiter.settle(ticket, end, at: now)
                if now >= from { counts.failed += 1 }
            }
            return
        }
        if now >= from { counts.refused += 1 }
    }

    private mutating func advance(_ replica: Int, to now: Instant) {
        for progress in engines[replica].model.advance(to: now) {
            let call = engines[replica].calls[progress.id - 1]
            if work[call].first == nil { work[call].first = progress.at }
            if progress.isLast { finish(call, at: progress.at) }
        }
    }

    private mutating func finish(_ call: Int, at now: Instant) {
        guard let first = work[call].first else { return }
        let arrival = trace.arrivals[call]
        let wait = arrival.at.duration(to: first)
        let tokens = arrival.request.outputTokens - 1
        let rate = tokens > 0 ? Double(tokens) / (first.seconds(to: now)) : nil
        end(call, OverloadEnd(outcome: .success, measured: .init(firstContent: wait, tokensPerSecond: rate)), at: now)
        guard now >= from else { return }
        counts.answered += 1
        let inTime = wait <= .seconds(settings.engine.goal.firstToken),
            fast = (rate ?? .infinity) >= settings.engine.goal.tokensPerSecond
        if inTime, fast { counts.good += 1 }
        if !inTime { counts.late += 1 }
        if !fast { counts.slow += 1 }
    }

    private mutating func giveUp(_ call: Int, at now: Instant) {
        engines[work[call].replica].model.cancel(work[call].id, at: now)
        end(call, OverloadEnd(outcome: .failure(.timeout), measured: Measurements()), at: now)
        if now >= from { counts.failed += 1 }
    }

    private mutating func end(_ call: Int, _ end: OverloadEnd, at now: Instant) {
        guard let ticket = work[call].ticket else { return }
        engines[work[call].replica].limiter.settle(ticket, end, at: now)
        engines[work[call].replica].inFlight -= 1
        work[call].ticket = nil
    }
}

/// What became of the calls after the warm-up.
struct OverloadCounts: Sendable, Hashable {
    /// Calls that came.
    var arrived = 0
    /// Calls that a limit refused.
    var refused = 0
    /// Calls that ended without an answer: their callers gave up, or the engine's queue was full.
    var failed = 0
    /// Calls that were answered.
    var answered = 0
    /// Answers within the goal.
    var good = 0
    /// Answers whose first token came late.
    var late = 0
    /// Answers that came too slowly.
    var slow = 0
}

extension Instant {
    fileprivate func seconds(to end: Instant) -> Double { duration(to: end) / .seconds(1) }
}
