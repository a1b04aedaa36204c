import AsyncHTTPClient
import CostLedger
import FleetFaults
import Foundation
import NIOHTTP1
import Testing

@testable import FakeFleet
@testable import Gateway

/// What answers cost, with all that was tried for them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CostTests {
    /// What is held for a call with a limit of 100 tokens: a token for every four bytes of the body, and the limit.
    private func held(_ bench: Bench, streamed: Bool) -> Int {
        let body =
            #"{"model":"chat","messages":[{"role":"user","content":"hello"}]\#(Bench.length),"stream":\#(streamed)}"#
        return body.utf8.count / 4 + 100
    }

    @Test func `a stream tells what it has cost, and whoever asked for usage finds it there`() async throws {
        try await withBench(replicas: 1, extra: Purse.yaml()) { bench in
            let cost = Money.dollars(try await bench.promptTokens() + 40)
            let silent = try await bench.pay(streamed: true)
            #expect(silent.seen.isDone && silent.finalCost == cost)
            #expect(!silent.text.contains("usage"))
            let told = try await bench.pay(
                streamed: true, extra: Bench.length + #","stream_options":{"include_usage":true}"#)
            #expect(told.text.contains(#""cost":\#(cost.digits)"#))
            #expect(told.text.hasSuffix(": x-spillway-cost \(cost.digits)\n\ndata: [DONE]\n\n"))
            #expect(told.headers["x-spillway-cost"] == "0.00")
            #expect(try await bench.books().spent("tenant:acme") == cost + cost)
        }
    }

    @Test(arguments: [true, false])
    func `an attempt that failed with a status costs nothing`(streamed: Bool) async throws {
        try await withBench(extra: Purse.yaml()) { bench in
            let cost = Money.dollars(try await bench.promptTokens() + 40)
            for fault in [FaultKind.error500, .error503, .rateLimitBare] {
                try await bench.fault(fault)
                let paid = try await bench.pay(streamed: streamed)
                #expect(paid.seen.upstream == "r2")
                #expect((streamed ? paid.finalCost : paid.cost) == cost)
            }
            #expect(try await bench.books().spent("provider:r1") == .zero)
            try bench.balances()
        }
    }

    @Test func `an attempt that broke off is paid for, too`() async throws {
        try await withBench(extra: Purse.yaml()) { bench in
            let cost = Money.dollars(try await bench.promptTokens() + 40)
            // Nobody knows how much of a whole answer there was.
            try await bench.fault(.reset)
            let held = Money.dollars(held(bench, streamed: false))
            let paid = try await bench.pay()
            #expect(paid.seen.upstream == "r2")
            #expect(paid.cost == held + cost)
            #expect(try await bench.books().spent("provider:r1") == held)
            try await bench.metrics(
                until: #"gateway_spend_dollars_total{model="fake-7b",source="estimated",upstream="r1"} \#(held.digits)"#
            )
            try bench.balances()
        }
    }

    @Test func `both parts of a stream that was continued elsewhere are paid for`() async throws {
        try await withBench(policy: "{ recovery: continue, retries: 3, backoff: { kind: none } }", extra: Purse.yaml())
        {
            bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.cutStream)
            let paid = try await bench.pay(streamed: true)
            paid.seen.isWhole(answer)
            let books = try await bench.books()
            let (first, second) = (try #require(books.spent("provider:r1")), try #require(books.spent("provider:r2")))
            #expect(first > .zero && second > .zero)
            #expect(paid.finalCost == first + second)
            try await bench.metrics(
                until: #"gateway_spend_dollars_total{model="fake-7b",source="metered",upstream="r1"} \#(first.digits)"#)
            try bench.balances()
        }
    }

    @Test(arguments: [true, false])
    func `the loser of a hedge is paid for`(streamed: Bool) async throws {
        let policy = "{ retries: 0, budget: unlimited, hedge: { afterSeconds: 0 } }"
        try await withBench(policy: policy, extra: Purse.yaml()) { bench in
            let cost = Money.dollars(try await bench.promptTokens() + 40)
            try await bench.fault(.noAnswer)
            let paid = try await bench.pay(streamed: streamed)
            #expect(paid.seen.upstream == "r2")
            let lost = try #require(try await bench.books().spent("provider:r1"))
            // Of a whole answer all that was held, of a stream without content its prompt.
            let held = held(bench, streamed: streamed)
            #expect(lost == .dollars(streamed ? held - 100 : held))
            #expect((streamed ? paid.finalCost : paid.cost) == lost + cost)
            try bench.balances()
        }
    }

    @Test func `a client that goes away is charged for what was generated`() async throws {
        try await withBench(replicas: 1, extra: Purse.yaml()) { bench in
            let prompt = try await bench.promptTokens()
            // Some content comes, and then nothing more.
            try await bench.fault(.stall)
            let client = HTTPClient()
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(bench.port)/v1/chat/completions")
            request.method = .POST
            request.headers = ["authorization": "Bearer \(Purse.acme)"]
            request.body = .bytes(
                .init(string: #"{"model":"chat","messages":[{"role":"user","content":"hello"}],"stream":true}"#))
            let response = try await client.execute(request, timeout: .seconds(30))
            var text = ""
            for try await part in response.body {
                text += String(buffer: part)
                guard text.contains(#""content":""#) else { continue }
                #expect(try await bench.books().open.holds == 1)
                // Nobody reads on: the connection is closed.
                break
            }
            try await client.shutdown()
            try await bench.metrics(until: "gateway_ledger_holds 0\n")
            let spent = try #require(try await bench.books().spent("tenant:acme"))
            #expect(spent > .zero)
            // Far less than was held.
            #expect(spent < .dollars(prompt + 128))
            try await bench.metrics(
                until: #"gateway_spend_dollars_total{model="fake-7b",source="metered",upstream="r1"}"#)
            try bench.balances()
        }
    }

    @Test(arguments: [true, false])
    func `a fallback costs what the model costs that answered`(streamed: Bool) async throws {
        try await withBench(models: ["large", "small"], extra: Purse.yaml(models: ["large", "small"])) { bench in
            let first = try await bench.pay(streamed: streamed)
            try await bench.fault(.error500)
            let second = try await bench.pay(streamed: streamed)
            #expect(second.seen.upstream == "r2")
            let one = try #require(streamed ? first.finalCost : first.cost)
            #expect((streamed ? second.finalCost : second.cost) == one + one)
            let books = try await bench.books()
            #expect(books.spent("model:large") == one)
            #expect(books.spent("model:small") == one + one)
        }
    }

    @Test func `no request gets past the books`() async throws {
        try await withBench(replicas: 1, extra: Purse.yaml("{ hardDollars: 400, per: total }")) { bench in
            // What costs more than what was held for, or may.
            let priority = try await bench.pay(extra: Bench.length + #","service_tier":"priority""#)
            #expect(priority.seen.status == 400)
            #expect(priority.seen.error?["param"] == "service_tier")
            for extra in [
                #","max_tokens":1,"max_completion_tokens":1000"#, #","max_tokens":100,"n":9"#,
                #","max_tokens":9223372036854775807,"n":1000"#,
            ] {
                #expect(try await bench.pay(extra: extra).seen.status == 402, "\(extra)")
            }
            #expect(try await bench.calls == [0])
            let body = #"{"model":"chat","input":["a","b"]}"#
            let response = try await bench.send(
                .POST, "v1/embeddings", body: body, headers: ["authorization": "Bearer \(Purse.acme)"])
            #expect(response.status == .ok)
            let cost = try #require(response.headers.first(name: "x-spillway-cost").flatMap { Money(dollars: $0) })
            #expect(cost > .zero)
            #expect(try await bench.books().spent("tenant:acme") == cost)
        }
    }

    @Test func `where any model can be asked for, its own price counts, and one without is refused`() async throws {
        try await withBench(replicas: 1, models: ["fake-7b"], extra: "") { bench in
            let yaml = """
                upstreams: { r1: { url: "http://127.0.0.1:\(bench.fleet.replicas[0])" } }
                models: { "*": { targets: [{ upstream: r1, model: "*" }] } }
                \(Purse.yaml())
                """
            try await withGateway(yaml) { gateway, port in
                let other = Bench(fleet: bench.fleet, gateway: gateway, port: port)
                func ask(_ model: String) async throws -> Seen {
                    let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"hello"}]\#(Bench.length)}"#
                    let headers: HTTPHeaders = ["authorization": "Bearer \(Purse.acme)"]
                    return try await Seen(other.send(.POST, "v1/chat/completions", body: body, headers: headers))
                }
                let cost = Money.dollars(try await bench.promptTokens() + 40)
                #expect(try await ask("fake-7b").headers["x-spillway-cost"] == cost.digits)
                let refused = try await ask("fake-8b")
                #expect(refused.status == 400)
                #expect(refused.code == "unpriced")
                #expect(try await bench.calls == [1])
                #expect(try await other.books().spent("model:*") == cost)
            }
        }
    }
}
