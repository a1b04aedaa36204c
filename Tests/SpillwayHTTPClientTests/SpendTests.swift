#if HTTPClientSupport
import CostLedger
import NIOCore
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

/// Remembers what it is told, and says stop from a count of answer tokens on.
private final class Sink: UsageSink {
    private let told = Locked<[Usage]>([])
    let most: Int

    init(most: Int = .max) { self.most = most }

    var all: [Usage] { told.withLock { $0 } }

    func used(_ usage: Usage) -> Bool {
        told.withLock { $0.append(usage) }
        return usage.answerTokens < most
    }
}

/// A dollar for each token.
private func ledger(_ limit: Int) throws -> Ledger {
    var prices = PriceBook(), rates = Price.Rates()
    for meter in [Usage.Meter.input, .output] { rates[meter] = .dollars(1_000_000) }
    prices.set(Price(rates), for: "m")
    return try Ledger("money", prices: prices, .init(limits: [SpendLimit(.tenant("a"), hard: .dollars(limit))]))
}

extension Relayed {
    fileprivate func attempt(_ script: Script, telling sink: Sink) async -> UpstreamError? {
        var attempt = Attempt(number: 1, call: Call(streams: true), started: SystemTime().now)
        attempt.usage = sink
        return await self.attempt(script, attempt)
    }
}

@Suite(.timeLimit(.minutes(10))) struct SpendTests {
    /// Eight tokens.
    private static let piece = Wire.text(String(repeating: "x", count: 32))

    @Test func `a stream tells its running count, and at the end what the provider says`() async {
        let sink = Sink(), stream = Relayed()
        let pieces = Array(repeating: Self.piece, count: 10) + [Wire.end, Wire.usage, Wire.done]
        #expect(await stream.attempt(.pieces(pieces), telling: sink) == nil)
        #expect(sink.all.dropLast().map(\.answerTokens) == [8, 16, 24, 32, 40, 48, 56, 64, 72, 80])
        #expect(sink.all.dropLast().allSatisfy { $0.source == .metered && $0.promptTokens == 10 })
        #expect(sink.all.last == Usage(input: 1, output: 2))
    }

    @Test func `a long stream does not tell of every token`() async {
        let sink = Sink(), stream = Relayed()
        _ = await stream.attempt(.pieces(Array(repeating: Wire.text("abcd"), count: 1_000) + [Wire.end]), telling: sink)
        let counts = sink.all.dropLast().map(\.answerTokens)
        #expect(counts.count < 100)
        #expect(zip(counts, counts.dropFirst()).allSatisfy { $1 - $0 <= 16 })
        #expect(sink.all.last == Usage(input: 10, output: 1_000, source: .metered))
    }

    @Test func `a stream that breaks off used what was counted`() async {
        let sink = Sink(), stream = Relayed()
        #expect(await stream.attempt(.cut([Self.piece, Wire.text("abcd")]), telling: sink) != nil)
        #expect(sink.all.last == Usage(input: 10, output: 9, source: .metered))
    }

    @Test func `a stream without content used its prompt, and one that was refused nothing`() async {
        for (script, usage) in [
            (Relayed.Script.cut([Wire.role]), Usage(input: 10, source: .estimated)),
            (
                .refused(UpstreamError("HTTP 502", .failure(.serverError), status: 502)),
                Usage(input: 10, source: .estimated)
            ),
            (.refused(UpstreamError("HTTP 429", .neutral(.rateLimited), status: 429)), Usage(requests: 0)),
            (.refused(UpstreamError("HTTP 408", .failure(.timeout), status: 408)), Usage(requests: 0)),
            (.refused(UpstreamError("no connection", .failure(.connect))), nil),
        ] {
            let sink = Sink()
            #expect(await Relayed().attempt(script, telling: sink) != nil)
            #expect(sink.all == (usage.map { [$0] } ?? []))
        }
    }

    @Test func `nothing is passed on when there is no money before the commit point`() async {
        let sink = Sink(most: 8), stream = Relayed()
        let error = await stream.attempt(.pieces([Wire.role, Self.piece, Self.piece, Wire.end]), telling: sink)
        #expect(error?.outcome == .neutral(.spendLimit))
        #expect(stream.pieces.isEmpty)
        #expect(!stream.journal.isCommitted)
    }

    @Test(arguments: [StreamRecovery.fail, .restart, .continue()])
    func `a stream that nobody can pay for ends there, keeps what was passed on, and is not tried again`(
        recovery: StreamRecovery
    ) async throws {
        let ledger = try ledger(30)
        let account = try ledger.account(.tenant("a"), model: "m", onLimit: .cut)
        let policy = try Policy("test") { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, budget: .unlimited)
            Gates(account)
        }
        let stream = Relayed(recovery), bill = account.bill()
        let call = Call(
            tokens: .estimate(input: 10, maxOutput: 4), payer: bill, idempotency: .idempotent, streams: true)
        let (result, report) = await policy.reported(call) { (attempt) async throws(UpstreamError) in
            if let error = await stream.attempt(.pieces(Array(repeating: Self.piece, count: 9)), attempt) {
                throw error
            }
        }
        guard case .failure(let error) = result else {
            Issue.record("it must end")
            return
        }
        // 10 of the prompt, and 24 of the answer, of which the last 4 were more than there was money for.
        #expect(stream.text.count == 3 * 32)
        #expect(stream.journal.failure(of: error)?.outcome == .neutral(.spendLimit))
        #expect(report.attempts.map(\.outcome) == [.neutral(.spendLimit)])
        #expect(bill.spent == .dollars(34))
        #expect(ledger.open.holds == 0)
        #expect(ledger.audit().isEmpty)
    }

    @Test(
        arguments: [
            (UpstreamError("HTTP 500", .failure(.serverError), status: 500), 0),
            (UpstreamError("HTTP 429", .neutral(.rateLimited), status: 429), 0),
            (UpstreamError("HTTP 400", .neutral(.contentFiltered), status: 400), 0),
            (UpstreamError("HTTP 408", .failure(.timeout), status: 408), 0),
            (UpstreamError("no connection", .failure(.connect)), 0),
            (UpstreamError("HTTP 502", .failure(.serverError), status: 502), 14),
            (UpstreamError("HTTP 504", .failure(.timeout), status: 504), 14),
            (UpstreamError("reset", .failure(.transport)), 14),
        ] as [(UpstreamError, Int)])
    func `the ledger charges an attempt at a whole answer that failed where providers do`(
        error: UpstreamError, dollars: Int
    ) async throws {
        let ledger = try ledger(30)
        let account = try ledger.account(.tenant("a"), model: "m")
        let policy = try Policy("test") { () throws(ConfigurationError) in Gates(account) }
        let bill = account.bill()
        let call = Call(tokens: .estimate(input: 10, maxOutput: 4), payer: bill)
        _ = await policy.reported(call) { (attempt) async throws(UpstreamError) in
            attempt.failed(with: error)
            throw error
        }
        #expect(bill.spent == .dollars(dollars))
        #expect(ledger.open.holds == 0)
    }

    @Test func `the client's calls are paid for, at what the provider says or at what was counted`() async throws {
        let said = #"{"choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#
        let silent = #"{"choices":[{"message":{"content":"12345678"}}]}"#
        let stream = Upstream.Answer.stream([Wire.text("Hi"), Wire.end, Wire.usage, Wire.done])
        let answers: [Upstream.Answer] = [.plain(200, [:], said), .plain(200, [:], silent), stream]
        try await withUpstream(answers) { upstream, client in
            let account = try ledger(100).account(.tenant("a"), model: "m")
            let chat = try ChatClient(
                baseURL: "http://127.0.0.1:\(upstream.port)/v1",
                http: PolicyHTTPClient(client, policy: try policy([account])), assumedOutput: 20)
            let request = ChatRequest(model: "m", messages: [ChatMessage(role: "user", content: "hello there")])
            for cost in [9, 4, 3] {
                let bill = account.bill()
                if cost == 3 {
                    let stream = try await chat.stream(request, payer: bill)
                    #expect(await read(stream).error == nil)
                    _ = await stream.report
                } else {
                    _ = try await chat.complete(request, payer: bill)
                }
                #expect(bill.spent == .dollars(cost))
            }
        }
    }
}

@Suite struct OpenAIUsageTests {
    private func usage(_ json: String) throws -> Usage? {
        var decoder = ChatStreamDecoder()
        return decoder.feed(Array(Wire.event(#"{"choices":[],"usage":\#(json)}"#).utf8)).first?.chunk?.usage
    }

    @Test func `gross figures become counts that do not overlap`() throws {
        let json = """
            {"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10,"audio_tokens":5},
            "completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":4,"accepted_prediction_tokens":2}}
            """.replacing("\n", with: "")
        var expected = Usage(input: 25, cacheRead: 60, output: 16, reasoning: 30)
        (expected[.cacheWrite], expected[.audioInput], expected[.audioOutput]) = (10, 5, 4)
        #expect(try usage(json) == expected)
    }

    @Test(
        arguments: [
            (#"{"prompt_tokens":3,"completion_tokens":4}"#, Usage(input: 3, output: 4)),
            // Parts are never more than the whole.
            (#"{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":9}}"#, Usage(cacheRead: 3)),
            // Some count reasoning beside the answer.
            (
                #"{"prompt_tokens":3,"completion_tokens":4,"total_tokens":9,"completion_tokens_details":{"reasoning_tokens":2}}"#,
                Usage(input: 3, output: 4, reasoning: 2)
            ),
            (#"{"prompt_tokens":-3,"completion_tokens":4,"prompt_tokens_details":7}"#, Usage(output: 4)),
            (#"{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":null}"#, Usage(input: 3, output: 4)),
            (#"{"prompt_tokens":3,"completion_tokens":"x"}"#, nil),
        ] as [(String, Usage?)])
    func `figures that do not fit are cut, and those that make no sense left out`(json: String, expected: Usage?) throws
    {
        #expect(try usage(json) == expected)
    }
}
#endif
