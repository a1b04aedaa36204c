import Spillway
import SpillwayTesting

/// One trace on one fleet by one rule.
///
/// An event loop over engines that are pure state machines: the next arrival, the next progress or the next report of an engine,
/// whichever is first. Clients are told nothing but what their own calls show and what engines report.
struct RoutingRun {
    struct Result: Sendable {
        /// Seconds to the first token, in the order in which they came.
        var first: [Double] = []
        /// Answers within the goal, and seconds from the first arrival to the last answer.
        var good = 0
        var seconds = 0.0
        var prefixHits = 0
        var prefixQueries = 0
        /// Requests that no engine of this kind can take.
        var refused = 0

        var hitRate: Double { prefixQueries == 0 ? 0 : Double(prefixHits) / Double(prefixQueries) }
        var goodput: Double { seconds > 0 ? Double(good) / seconds : 0 }
    }

    /// A call under way.
    private final class Asked {
        let at: Instant
        let prompt: Int
        var placement: Placement?
        var firstAt: Instant?
        var tokens = 0

        init(_ prompt: Int, _ placement: consuming Placement, at: Instant) {
            self.at = at
            self.prompt = prompt
            self.placement = consume placement
        }
    }

    private let trace: RoutingTrace
    private let settings: RoutingSettings
    private let fleets: [Fleet]
    private let random: RandomSource
    private var engines: [EngineModel]
    private var asked: [[Int: Asked]]
    private var result = Result()

    private init(_ trace: RoutingTrace, _ settings: RoutingSettings, _ rule: FleetRule, seed: UInt64) throws {
        self.trace = trace
        self.settings = settings
        let engine = try settings.engine(), random = RandomSource.seeded(seed)
        let members = (0..<settings.replicas).map { number in
            var member = Member("\(number)", address: "\(number)")
            member.kvTokens = engine.kvBlocks * engine.blockSize
            member.window = engine.contextLimit
            return member
        }
        fleets = try (0..<settings.clients).map { _ in
            try Fleet("fleet", .init { $0.rule = rule }, members: members, at: .zero, random: random)
        }
        self.random = random
        engines = Array(repeating: EngineModel(engine), count: settings.replicas)
        asked = Array(repeating: [:], count: settings.replicas)
        result.first.reserveCapacity(trace.arrivals.count)
    }

    /// What the fleet serves in a second under round robin when it never has nothing to do.
    static func capacity(_ trace: RoutingTrace, _ settings: RoutingSettings) throws -> Double {
        let configuration = try settings.engine()
        var engines = Array(repeating: EngineModel(configuration), count: settings.replicas)
        var served = 0
        for arrival in trace.arrivals {
            let request = request(arrival, configuration.blockSize)
            if (try? engines[served % settings.replicas].submit(request, at: .zero)) != nil { served += 1 }
        }
        var busy = 0.0
        for index in engines.indices {
            var last = Instant.zero
            while let due = engines[index].nextDue {
                _ = engines[index].advance(to: due)
                last = due
            }
            busy += Instant.zero.duration(to: last) / .seconds(1)
        }
        return busy == 0 ? 0 : Double(served) * Double(settings.replicas) / busy
    }

    static func play(
        _ trace: RoutingTrace, _ settings: RoutingSettings, _ rule: FleetRule, capacity: Double, seed: UInt64
    ) throws -> Result {
        var run = try RoutingRun(trace, settings, rule, seed: seed)
        run.play(stretch: Double(trace.arrivals.count) / trace.seconds / (capacity * settings.load))
        return run.result
    }

    /// The request as an engine takes it, whose blocks are smaller than the trace's.
    static func request(_ arrival: RoutingTrace.Arrival, _ size: Int) -> EngineModel.Request {
        let parts = RoutingTrace.blockTokens / size
        let blocks = arrival.blocks.flatMap { id in
            (0..<parts).map { part in (id &* 0x9e37_79b9_7f4a_7c15) ^ (UInt64(part) &* 0xd6e8_feb8_6659_fd93) }
        }
        return EngineModel.Request(
            promptTokens: arrival.tokens, promptBlocks: blocks, outputTokens: arrival.output)
    }

    private mutating func play(stretch: Double) {
        var next = 0
        let period = Duration.seconds(settings.staleness)
        var reports = (0..<settings.replicas).map { index in
            Instant.zero.advanced(by: period * (Double(index + 1) / Double(settings.replicas)))
        }
        while true {
            let arrival =
                next < trace.arrivals.count
                ? Instant.zero.advanced(by: .seconds(trace.arrivals[next].at * stretch)) : nil
            var now = arrival ?? .distantFuture
            for engine in engines { if let due = engine.nextDue { now = min(now, due) } }
            if now == .distantFuture { break }
            // Reports are only of interest to whoever still comes.
            if arrival != nil, let report = reports.min(), report < now { now = report }
            for index in engines.indices {
                if let due = engines[index].nextDue, due <= now { advance(index, to: now) }
                if arrival != nil, reports[index] <= now {
                    advance(index, to: now)
                    let load = engines[index].load
                    let told = EngineLoad(
                        at: now, waiting: load.waiting, running: load.running, kvUse: load.kvUsage)
                    for fleet in fleets { fleet.report(told, from: "\(index)") }
                    reports[index] = reports[index].advanced(by: period)
                }
            }
            if let arrival, arrival <= now {
                ask(next, at: now)
                next += 1
            }
            result.seconds = Instant.zero.duration(to: now) / .seconds(1)
        }
        for engine in engines {
            result.prefixHits += engine.load.prefixHits
            result.prefixQueries += engine.load.prefixQueries
        }
    }

    private mutating func ask(_ number: Int, at now: Instant) {
        let arrival = trace.arrivals[number], client = random.upTo(fleets.count - 1)
        let call = Call(tokens: .estimate(input: arrival.tokens, maxOutput: arrival.output), streams: true)
        let prefix = Prefix(blocks: arrival.blocks, tokensPerBlock: RoutingTrace.blockTokens, tokens: arrival.tokens)
        do {
            let placement = try fleets[client].place(call, prefix: prefix, at: now)
            let index = Int(placement.member.name)!
            advance(index, to: now)
            let id = try engines[index].submit(Self.request(arrival, engines[index].configuration.blockSize), at: now)
            asked[index][id] = Asked(arrival.tokens, placement, at: now)
        } catch {
            result.refused += 1
        }
    }

    private mutating func advance(_ index: Int, to now: Instant) {
        for progress in engines[index].advance(to: now) {
            guard let call = asked[index][progress.id] else { continue }
            call.tokens += progress.tokens
            if call.firstAt == nil {
                call.firstAt = progress.at
                call.placement?.firstToken(at: progress.at)
                result.first.append(call.at.duration(to: progress.at) / .seconds(1))
            }
            guard progress.isLast, let first = call.firstAt else { continue }
            asked[index][progress.id] = nil
            let waited = call.at.duration(to: first) / .seconds(1)
            let between = first.duration(to: progress.at) / .seconds(1) / Double(max(1, call.tokens - 1))
            if waited <= settings.goal.first, between <= settings.goal.between { result.good += 1 }
            let usage = Usage(
                input: call.prompt - progress.cachedTokens, cacheRead: progress.cachedTokens, output: call.tokens,
                source: .provider)
            if let placement = call.placement.take() { placement.settle(.success, usage: usage, at: progress.at) }
        }
    }
}
