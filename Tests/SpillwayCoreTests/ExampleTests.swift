import SpillwayCore
import SpillwayTesting
import Testing

/// The examples of the documentation, word for word, so that they compile and do what they say.
@Suite(.timeLimit(.minutes(10))) struct ExampleTests {
    func firstWords(of stream: AsyncStream<String>) async throws -> String {
        let timeout = try AttemptTimeout(firstContent: .seconds(8), stall: .seconds(5))
        return try await Deadline(.seconds(30)).run { _ in
            try await timeout.run(Call(streams: true)) { attempt in
                var words = ""
                for await piece in stream {
                    attempt.received()
                    words += piece
                }
                return words
            }
        }
    }

    /// Handles a request with `headers`, and asks another service on the way; returns the headers of the answer.
    func handle(
        _ headers: [String: String], time: any TimeSource = .system,
        send: ([(name: String, value: String)]) async throws -> [String: String]
    ) async throws -> [(name: String, value: String)] {
        let context = CallContext(headers: headers, at: time.now)
        try await CallContext.$current.withValue(context) {
            let loan = context.budgets.lend()
            let answer = try await send(context.headers(at: time.now, loan: loan))
            loan?.settle(spentHeader: answer[CallContext.spentHeader])
        }
        return context.answerHeaders()
    }

    @Test func limits() async throws {
        let (stream, source) = AsyncStream.makeStream(of: String.self)
        for word in ["A", " dam"] { source.yield(word) }
        source.finish()
        #expect(try await firstWords(of: stream) == "A dam")
    }

    @Test func propagation() async throws {
        let time = ManualTime()
        let answer = try await handle(
            ["x-spillway-timeout-ms": "2000", "x-spillway-allowance": "3"], time: time
        ) { headers in
            #expect(headers.map(\.value) == ["2000", "3"])
            return ["x-spillway-spent": "2"]
        }
        #expect(answer.map(\.name) == ["x-spillway-spent"] && answer.map(\.value) == ["2"])
    }
}
