#if HTTPClientSupport
import AsyncHTTPClient
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("An HTTP client that propagates", .timeLimit(.minutes(10)))
struct PropagationTests {
    private let time = ManualTime()
    private static let chat = ChatRequest(model: "m", messages: [ChatMessage(role: "user", content: "Hi")])

    /// A context with a deadline in 9 s.
    private func context(_ allowance: Allowance) -> CallContext {
        CallContext(deadline: time.now.advanced(by: .seconds(9)), budgets: .none.adding(allowance))
    }

    private func timeout(_ request: Upstream.Request?) -> String? {
        request?.head.headers.first(name: CallContext.timeoutHeader)
    }

    private func allowance(_ request: Upstream.Request?) -> String? {
        request?.head.headers.first(name: CallContext.allowanceHeader)
    }

    private func spent(_ attempts: Int) -> [String: String] { [CallContext.spentHeader: "\(attempts)"] }

    @Test("nothing is told by default")
    func off() async throws {
        try await withUpstream([.plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(time: time), time: time)
            let budget = Allowance(4)
            _ = try await context(budget).bound { try await http.execute(request(.GET, upstream.url())) }.get()
            #expect(upstream.requests.count == 1)
            #expect(timeout(upstream.requests.first) == nil && allowance(upstream.requests.first) == nil)
            #expect(budget.remaining == 4)
        }
    }

    @Test("nothing is told where there is neither a deadline nor an allowance")
    func nothing() async throws {
        try await withUpstream([.plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(time: time), time: time, propagates: true)
            _ = try await http.execute(request(.GET, upstream.url()))
            #expect(timeout(upstream.requests.first) == nil && allowance(upstream.requests.first) == nil)
        }
    }

    @Test("every attempt tells its own time, lends half of what is left, and takes back what was not spent")
    func everyAttempt() async throws {
        let retryAfter = ["retry-after": "2"].merging(spent(1)) { first, _ in first }
        try await withUpstream([.plain(429, retryAfter), .plain(200, spent(0))]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(time: time), time: time, propagates: true)
            let budget = Allowance(6), message = request(.GET, upstream.url())
            async let answer = context(budget).bound { try await http.execute(message) }.get()
            await time.waitForWake(in: .seconds(2))
            time.advance(by: .seconds(2))
            #expect(try await answer.status == .ok)
            #expect(upstream.requests.map { timeout($0) } == ["9000", "7000"])
            // Of 6; then of 6 − 1 that was spent there − 1 for the second attempt.
            #expect(upstream.requests.map { allowance($0) } == ["3", "2"])
            #expect(budget.spent == 2)
        }
    }

    @Test("the policy's own deadline is told when it is earlier, and headers of the request's own give way")
    func ownDeadline() async throws {
        let policy = try Policy("test", time: time) { () throws(ConfigurationError) in try Deadline(.seconds(3)) }
        try await withUpstream([.plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: policy, time: time, propagates: true)
            var message = request(.GET, upstream.url())
            message.headers.add(name: CallContext.timeoutHeader, value: "1")
            let sent = message
            _ = try await context(Allowance(0)).bound { try await http.execute(sent) }.get()
            #expect(upstream.requests.first?.head.headers[CallContext.timeoutHeader] == ["3000"])
            #expect(allowance(upstream.requests.first) == "0")
        }
    }

    @Test("an answer that says nothing has spent its loan, a request that was never sent has not")
    func lost() async throws {
        try await withUpstream([.plain(500), .plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(
                client, policy: try policy(retries: 0, time: time), time: time, propagates: true, lendsAtMost: 3)
            let budget = Allowance(10), message = request(.GET, upstream.url())
            _ = await failure { try await context(budget).bound { try await http.execute(message) }.get() }
            #expect(allowance(upstream.requests.first) == "3")
            #expect(budget.remaining == 7)
            try await upstream.stop()
            await upstream.cut()
            let other = try await Upstream.start([])
            try await other.stop()
            let refused = request(.GET, other.url())
            _ = await failure { try await context(budget).bound { try await http.execute(refused) }.get() }
            #expect(budget.remaining == 7)
        }
    }

    @Test("a chat client tells what its HTTP client tells, also with streams")
    func chat() async throws {
        let body = #"{"choices":[{"message":{"role":"assistant","content":"Hi"}}]}"#
        let stream = Upstream.Answer.stream([Wire.text("Hi"), Wire.end, Wire.done])
        try await withUpstream([.plain(200, spent(0), body), stream]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(time: time), time: time, propagates: true)
            let chat = try ChatClient(baseURL: upstream.url("/v1"), http: http)
            let budget = Allowance(4)
            try await context(budget).bound {
                _ = try await chat.complete(Self.chat)
                #expect(await read(try await chat.stream(Self.chat)).text == "Hi")
            }.get()
            #expect(upstream.requests.map { timeout($0) } == ["9000", "9000"])
            #expect(upstream.requests.map { allowance($0) } == ["2", "2"])
            #expect(budget.remaining == 2, "the head of a stream gives nothing back")
        }
    }
}
#endif
