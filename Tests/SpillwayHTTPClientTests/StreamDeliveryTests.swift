#if HTTPClientSupport
import NIOCore
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("A relay whose sink fails", .timeLimit(.minutes(10)))
struct StreamDeliveryTests {
    private struct Gone: Error {}

    /// A body of these pieces.
    private static func body(_ texts: [String]) -> AsyncStream<ByteBuffer> {
        AsyncStream { stream in
            for text in texts { stream.yield(ByteBuffer(string: text)) }
            stream.finish()
        }
    }

    /// Makes one attempt; the error with which it ended.
    private func attempt(
        _ relay: StreamRelay, _ texts: [String], to sink: @escaping @Sendable ([ChatPiece]) async throws -> Void
    ) async -> UpstreamError? {
        let attempt = Attempt(number: 1, call: Call(streams: true), started: SystemTime().now)
        do throws(UpstreamError) {
            try await relay.run(attempt, ask: { _ in Self.body(texts) }, to: sink)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "an answer whose last pieces are not taken is not whole, whatever the commit point and the recovery",
        arguments: [CommitPoint.firstToken, .tokens(5), .wholeAnswer], [StreamRecovery.fail, .restart, .continue()])
    func lastPieces(commit: CommitPoint, recovery: StreamRecovery) async {
        let relay = StreamRelay(StreamJournal(recovery), commit: commit)
        let error = await attempt(relay, [Wire.text("Hello"), Wire.text(" you"), Wire.end, Wire.done]) { pieces in
            if pieces.contains(where: \.finishes) { throw Gone() }
        }
        #expect(error?.outcome == .neutral(.cancelled))
        #expect(error?.underlying is Gone)
        #expect(!relay.journal.isWhole)
    }

    @Test(
        "an end mark that is not taken fails the attempt, wherever it came from",
        arguments: [[Wire.end], [Wire.end, Wire.done], [Wire.done], [Wire.end + Wire.done]])
    func endMark(last: [String]) async {
        let relay = StreamRelay(StreamJournal(.restart))
        let error = await attempt(relay, [Wire.text("Hello")] + last) { pieces in
            if pieces.contains(where: { $0.kind == .end }) { throw Gone() }
        }
        #expect(error?.outcome == .neutral(.cancelled))
        #expect(error?.underlying is Gone)
        #expect(!relay.journal.isWhole)
    }

    @Test("what a sink has thrown at is passed on only once")
    func once() async {
        let relay = StreamRelay(StreamJournal()), taken = Locked<[ChatPiece]>([])
        _ = await attempt(relay, [Wire.text("Hello"), Wire.end, Wire.usage, Wire.done]) { pieces in
            taken.withLock { $0 += pieces }
            if pieces.contains(where: { $0.kind == .usage }) { throw Gone() }
        }
        #expect(taken.withLock { $0.map(\.kind) } == [.content, .empty, .usage])
    }

    @Test(
        "a sink that blocks on the last pieces until the deadline fails the call, and no other attempt is made",
        arguments: [CommitPoint.firstToken, .wholeAnswer], [StreamRecovery.fail, .restart, .continue()])
    func deadline(commit: CommitPoint, recovery: StreamRecovery) throws {
        for blocks in [{ $0.finishes }, { $0.kind == .end }] as [@Sendable (ChatPiece) -> Bool] {
            let simulation = Simulation(seed: 1), time = simulation.time
            let policy = try Policy("test", time: time) { () throws(ConfigurationError) in
                try Deadline(.seconds(10))
                try Retry(upTo: 3, backoff: .none, budget: .unlimited)
            }
            let relay = StreamRelay(StreamJournal(recovery), commit: commit, time: time)
            let asked = Locked(0)
            let ending = try simulation.run {
                let call = Call(idempotency: .idempotent, streams: true)
                let (result, report) = await policy.reported(call) { (attempt) async throws(UpstreamError) in
                    try await relay.run(attempt) { _ in
                        asked.withLock { $0 += 1 }
                        return Self.body([Wire.text("Hello"), Wire.end, Wire.usage])
                    } to: { pieces in
                        if pieces.contains(where: blocks) { try await time.sleep(for: .seconds(3_600)) }
                    }
                }
                #expect(throws: PolicyError<UpstreamError>.self) { try result.get() }
                return report.ending
            }
            #expect(ending == .deadlineExceeded)
            #expect(asked.withLock { $0 } == 1)
            #expect(!relay.journal.isWhole)
        }
    }

    @Test("an upstream that lingers behind a whole answer until the deadline takes no end mark away")
    func lingers() throws {
        let simulation = Simulation(seed: 1), time = simulation.time
        let policy = try Policy("test", time: time) { () throws(ConfigurationError) in try Deadline(.seconds(10)) }
        let relay = StreamRelay(StreamJournal(), time: time)
        let taken = Locked<[ChatPiece.Kind]>([])
        let ending = try simulation.run {
            let (_, report) = await policy.reported(Call(streams: true)) { (attempt) async throws(UpstreamError) in
                try await relay.run(attempt) { _ in
                    // Comes just before the deadline, and is followed by nothing.
                    Late(time: time, text: Wire.text("Hello") + Wire.end, after: .milliseconds(9_500))
                } to: { pieces in
                    taken.withLock { $0 += pieces.map(\.kind) }
                }
            }
            return report.ending
        }
        #expect(ending == .deadlineExceeded)
        #expect(taken.withLock { $0 } == [.content, .empty, .end])
        #expect(relay.journal.isWhole)
    }

    /// A body of one piece that never ends.
    private struct Late: AsyncSequence, Sendable {
        let time: ManualTime
        let text: String
        let after: Duration

        func makeAsyncIterator() -> Iterator { Iterator(body: self) }

        struct Iterator: AsyncIteratorProtocol {
            let body: Late
            var isOver = false

            mutating func next() async throws -> ByteBuffer? {
                try await body.time.sleep(for: isOver ? .seconds(3_600) : body.after)
                isOver = true
                return ByteBuffer(string: body.text)
            }
        }
    }
}
#endif
