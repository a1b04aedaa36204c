import Spillway
import SpillwayHTTPClient
import Testing

@testable import BatchEmbeddings

@Suite struct CallTests {
    private typealias Failure = PolicyError<UpstreamError>

    private static func upstream(
        _ cause: Outcome.Cause, status: Int? = nil, retryAfter: Duration? = nil
    ) -> UpstreamError {
        UpstreamError("said so", .of(cause, retryAfter: retryAfter), status: status)
    }

    private static func rejection(_ reason: Reason, after: Duration? = nil) -> Failure {
        .rejected(Rejection(by: GateName(registering: "gate"), reason: reason, retryAfter: after), last: nil)
    }

    @Test func `what a failed call means`() {
        let cases: [(Failure, Setback)] = [
            (.operation(Self.upstream(.invalidRequest, status: 400)), .refused("said so")),
            (.operation(Self.upstream(.contextTooLong, status: 400)), .refused("said so")),
            (.operation(Self.upstream(.contentFiltered, status: 400)), .refused("said so")),
            (.operation(Self.upstream(.invalidRequest, status: 413)), .refused("said so")),
            (.operation(Self.upstream(.invalidRequest, status: 404)), .stop(.failed("said so"))),
            (.operation(Self.upstream(.invalidRequest)), .stop(.failed("said so"))),
            (.operation(Self.upstream(.authentication, status: 401)), .stop(.failed("said so"))),
            (.operation(Self.upstream(.quotaExhausted, status: 429)), .stop(.quota(nil))),
            (
                .exhausted(.attemptsExhausted, attempts: 6, last: Self.upstream(.rateLimited, retryAfter: .seconds(3))),
                .later("said so", after: .seconds(3))
            ),
            (.timedOut(.attempt, last: Self.upstream(.timeout)), .later("said so", after: nil)),
            (.operation(Self.upstream(.cancelled)), .stop(.interrupted)),
            (.cancelled(last: nil), .stop(.interrupted)),
            (
                Self.rejection(.breakerOpen, after: .seconds(9)),
                .later("gate refused: breaker_open, retry after 9.0 seconds", after: .seconds(9))
            ),
            (Self.rejection(.queuedTooLong), .later("gate refused: queued_too_long", after: nil)),
            (Self.rejection(.spendLimit), .stop(.budget)),
            (Self.rejection(.keyRetired), .stop(.failed("the endpoint does not accept the key"))),
            (Self.rejection(.quotaExhausted, after: .seconds(60)), .stop(.quota(.seconds(60)))),
            (Self.rejection(.exceedsBurst), .refused("gate refused: exceeds_burst")),
        ]
        for (error, setback) in cases { #expect(Setback(error) == setback, "\(error)") }
    }

    @Test func `how a run ends, and with what`() {
        #expect(Ending.interrupted.exitCode == 130)
        #expect([Ending.budget, .quota(nil), .silence("x")].map(\.exitCode) == [75, 75, 75])
        #expect(Ending.failed("x").exitCode == 1)
        #expect(Ending.quota(.seconds(125)).text == "the provider's quota is used up, and comes back in 2m 05s")
    }

    @Test func `what a provider counted is shared out to the last token`() {
        #expect(Ingestion.shares(of: 10, among: [1, 1, 1]) == [3, 3, 4])
        #expect(Ingestion.shares(of: 0, among: [5, 5]) == [0, 0])
        #expect(Ingestion.shares(of: 7, among: [0, 7, 0]) == [0, 7, 0])
        let random = RandomSource.seeded(1)
        for _ in 0..<500 {
            let estimates = (0..<Int(1 + random.next() % 60)).map { _ in Int(1 + random.next() % 500) }
            let tokens = Int(random.next() % 1_000_000_000_000)
            let shares = Ingestion.shares(of: tokens, among: estimates)
            #expect(shares.reduce(0, +) == tokens && shares.allSatisfy { $0 >= 0 })
        }
    }

    @Test func `prices come from the command line, else from the book`() {
        var settings = CallSettings(baseURL: "http://host/v1", model: "fake-embed")
        #expect(settings.prices == nil && settings.cost(ofTokens: 1_000) == nil)
        settings.price = Money(dollars: "0.02")
        #expect(settings.cost(ofTokens: 1_500_000) == Money(dollars: "0.03"))
    }

    private static func pending(_ tokens: [Int]) -> [Corpus.Pending] {
        tokens.enumerated().map { number, tokens in
            let key = PassageKey("\(number)", model: "m", dimensions: nil)
            return Corpus.Pending(key: key, text: "\(number)", tokens: tokens)
        }
    }

    @Test func `batches are bounded in number and in tokens, and one that is too large goes alone`() async {
        let line = BatchLine(Self.pending([10, 20, 30, 5, 5, 5, 500, 1]), mostPassages: 3, mostTokens: 60)
        var batches: [[String]] = []
        while let batch = await line.next() {
            batches.append(batch.map(\.text))
            await line.done()
        }
        #expect(batches == [["0", "1", "2"], ["3", "4", "5"], ["6"], ["7"]])
    }

    @Test func `what is given back comes next, in its order, and who has nothing waits for it`() async {
        let line = BatchLine(Self.pending([1, 1, 1, 1]), mostPassages: 4, mostTokens: 60)
        let all = await line.next() ?? []
        let waiting = Task { await line.next()?.map(\.text) }
        await line.giveBack(Array(all[..<2]), Array(all[2...]))
        #expect(await waiting.value == ["0", "1"])
        #expect(await line.next()?.map(\.text) == ["2", "3"])
        let last = Task { await line.next() == nil }
        await line.done()
        await line.done()
        #expect(await last.value)
    }

    @Test func `a line that was stopped lets all go, and keeps the first reason`() async {
        let line = BatchLine(Self.pending([1, 1]), mostPassages: 1, mostTokens: 60)
        _ = await line.next()
        await line.stop(.budget)
        await line.stop(.interrupted)
        #expect(await line.next() == nil)
        #expect(await line.ending == .budget)
    }
}
