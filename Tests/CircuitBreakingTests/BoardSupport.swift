import CircuitBreaking
import SpillwayCore
import SpillwayTesting

/// A board's store in memory: the rules that `BreakerBoardStore` states.
final class MemoryBoard: Sendable {
    struct Word {
        var sighting: BreakerSighting
        var until: Instant
        var over: Instant
        var began: Instant
    }

    struct Contents {
        var words: [UInt64: [Word]] = [:]
        var exchanges = 0
    }

    let time: any TimeSource
    let contents = Locked(Contents())

    init(_ time: any TimeSource) { self.time = time }

    var exchanges: Int { contents.withLock { $0.exchanges } }
    /// The breakers that somebody reports.
    var open: [String] { contents.withLock { $0.words.values.joined().map(\.sighting.breaker).sorted() } }

    func serve(_ report: BreakerReport) -> [BreakerSighting] {
        let now = time.now
        return contents.withLock { contents in
            contents.exchanges += 1
            contents.words[report.process] = report.open.map {
                Word(
                    sighting: $0, until: now.advanced(by: $0.left), over: now.advanced(by: report.life),
                    began: now.advanced(by: .zero - $0.since))
            }
            contents.words = contents.words.mapValues { $0.filter { $0.until > now && $0.over > now } }
            return contents.words.filter { $0.key != report.process }.values.joined().map { word in
                BreakerSighting(
                    breaker: word.sighting.breaker, process: word.sighting.process,
                    since: word.began.duration(to: now), left: now.duration(to: word.until))
            }
        }
    }
}

/// What one process reaches of the store, a little later.
final class BoardLine: BreakerBoardStore {
    struct Cut: Error {}

    let store: MemoryBoard
    let isCut = Locked(false)

    init(_ store: MemoryBoard) { self.store = store }

    func cut(_ cut: Bool) { isCut.withLock { $0 = cut } }

    func exchange(_ report: BreakerReport) async throws -> [BreakerSighting] {
        if isCut.withLock({ $0 }) { throw Cut() }
        try? await store.time.sleep(for: .milliseconds(1))
        let answer = store.serve(report)
        try? await store.time.sleep(for: .milliseconds(1))
        return answer
    }
}

/// A store whose answers a test writes.
final class ScriptedBoard: BreakerBoardStore {
    let reports = Locked<[BreakerReport]>([])
    let answer: Locked<@Sendable (BreakerReport) async throws -> [BreakerSighting]>

    init(_ answer: @escaping @Sendable (BreakerReport) async throws -> [BreakerSighting] = { _ in [] }) {
        self.answer = Locked(answer)
    }

    func set(_ answer: @escaping @Sendable (BreakerReport) async throws -> [BreakerSighting]) {
        self.answer.withLock { $0 = answer }
    }

    func exchange(_ report: BreakerReport) async throws -> [BreakerSighting] {
        reports.withLock { $0.append(report) }
        return try await answer.withLock { $0 }(report)
    }
}

/// Sightings of `processes` others.
func seen(
    _ breaker: String = "r", by processes: Int, since: Duration = .zero, left: Duration = .seconds(10)
)
    -> [BreakerSighting]
{
    (0..<processes).map { BreakerSighting(breaker: breaker, process: UInt64($0), since: since, left: left) }
}

/// A process with a breaker called `r` on a board.
final class Peer: Sendable {
    let line: BoardLine
    let board: BreakerBoard
    let breaker: CircuitBreaker
    private let simulation: Simulation
    private let running = Locked<Task<Void, any Error>?>(nil)

    init(_ simulation: Simulation, _ store: MemoryBoard, group: BreakerGroup? = nil) throws {
        self.simulation = simulation
        line = BoardLine(store)
        board = try BreakerBoard("fleet", store: line, time: simulation.time, random: simulation.random)
        breaker = try CircuitBreaker(
            "r",
            .init {
                $0.window = .consecutive(1)
                $0.openJitter = 0
                $0.ramp = .zero
                $0.probes = 1
            }, group: group)
        try board.add(breaker)
        let board = board
        running.withLock { $0 = simulation.start("peer") { try await board.run() } }
    }

    deinit { running.withLock { $0 }?.cancel() }

    var state: CircuitBreaker.State { breaker.currentState }

    /// Ends `run()`, and waits for it.
    func end() async {
        let task = running.withLock { $0 }
        task?.cancel()
        _ = await task?.result
    }

    func call(_ outcome: Outcome) { breaker.call(outcome, at: simulation.time.now) }
    func fail() { call(.failure(.serverError)) }
}

extension Simulation {
    func seconds(_ seconds: Double) async throws {
        try await time.sleep(for: .nanoseconds(Int64(seconds * 1e9)))
    }
}
