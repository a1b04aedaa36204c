import CostLedger
import Foundation
import Testing

@testable import FakeFleet
@testable import Gateway

/// Who may call, and whose money it is.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TenantTests {
    @Test func `nobody without a key gets in, and no upstream hears of it`() async throws {
        try await withBench(replicas: 1, extra: Purse.yaml()) { bench in
            for (key, says) in [(nil, "An API key is needed"), ("sk-wrong", "not known"), (Purse.root, "not known")] {
                for streamed in [true, false] {
                    let paid = try await bench.pay(key, streamed: streamed)
                    #expect(paid.seen.status == 401)
                    #expect(paid.seen.code == "invalid_api_key")
                    #expect(paid.message.contains(says))
                    #expect(!paid.text.contains("sk-"))
                    #expect(paid.headers["www-authenticate"] == "Bearer")
                }
            }
            for path in ["v1/models", "v1/ledger"] {
                #expect(try await bench.send(.GET, path).status == .unauthorized)
            }
            let embeddings = try await bench.send(.POST, "v1/embeddings", body: #"{"model":"chat","input":"a"}"#)
            #expect(embeddings.status == .unauthorized)
            for scheme in ["Basic", "", "Bearer "] {
                let response = try await bench.chat(headers: ["authorization": "\(scheme) \(Purse.acme)x"])
                #expect(response.status == .unauthorized)
            }
            #expect(try await bench.calls == [0])
            #expect(try await bench.pay().seen.status == 200)
            #expect(try await bench.chat(headers: ["authorization": "bearer  \(Purse.acme)"]).status == .ok)
            #expect(try await bench.send(.GET, "health/live").status == .ok)
            try await bench.metrics(until: #"{model="",outcome="refused",reason="invalid_api_key"}"#)
        }
    }

    @Test func `keys alone need no prices`() async throws {
        let yaml = #"tenants: { acme: { keys: ["\#(KeyHash(of: Purse.acme).text)"] } }"#
        try await withBench(replicas: 1, extra: yaml) { bench in
            #expect(try await bench.pay("sk-wrong").seen.status == 401)
            let paid = try await bench.pay()
            #expect(paid.seen.status == 200)
            #expect(paid.cost == nil)
            #expect(try await bench.send(.GET, "v1/ledger").status == .unauthorized)
        }
    }

    @Test func `one tenant neither sees nor uses another's money`() async throws {
        try await withBench(replicas: 1, extra: Purse.yaml("{ hardDollars: 300, per: total }")) { bench in
            while try await bench.pay(headers: ["x-spillway-session": "s"]).seen.status == 200 {}
            let refused = try await bench.pay(headers: ["x-spillway-session": "s"])
            #expect(refused.seen.status == 402)
            // The same session's name, and the other tenant pays for itself.
            let other = try await bench.pay(Purse.other, headers: ["x-spillway-session": "s"])
            #expect(other.seen.status == 200)
            #expect(other.headers["x-spillway-remaining"] == nil)
            let books = try await bench.books()
            #expect(books.spent("tenant:other") == other.cost)
            #expect(books.spent("session:other/s") == other.cost)
            #expect(books.spent("session:acme/s") == books.spent("tenant:acme"))
            #expect(books.spent("key:other/main") == other.cost)
            for key in [Purse.acme, Purse.other] {
                let response = try await bench.send(.GET, "v1/ledger", headers: ["authorization": "Bearer \(key)"])
                #expect(response.status == .unauthorized)
            }
            try bench.balances()
        }
    }

    @Test func `a limit that all share is named without its figures`() async throws {
        let all = #"{ scope: all, hardDollars: 300, per: total }"#
        try await withBench(replicas: 1, extra: Purse.yaml(all: all)) { bench in
            while try await bench.pay().seen.status == 200 {}
            let refused = try await bench.pay(Purse.other)
            #expect(refused.seen.status == 402)
            #expect(refused.message.hasPrefix("The gateway's limit in total is used up."))
            #expect(!refused.message.contains("$"))
            #expect(refused.headers["x-spillway-remaining"] == nil)
        }
    }

    @Test func `the operator sees the books, and metrics name no tenant`() async throws {
        let limits = "{ hardDollars: 1000, softDollars: 100, per: month }"
        try await withBench(replicas: 1, extra: Purse.yaml(limits, more: ", project: bot")) { bench in
            let prompt = try await bench.promptTokens()
            let paid = try await bench.pay(
                extra: Bench.length + #","user":"u1""#, headers: ["x-spillway-session": "s1"])
            #expect(paid.cost == .dollars(prompt + 40))
            #expect(paid.headers["x-spillway-remaining"] == "\(1_000 - prompt - 40).00")
            let books = try await bench.books()
            let scopes = [
                "tag:gateway", "tenant:acme", "project:acme/bot", "key:acme/\(KeyHash(of: Purse.acme).short)",
                "user:acme/u1", "session:acme/s1", "provider:r1", "model:fake-7b",
            ]
            for scope in scopes { #expect(books.spent(scope) == paid.cost, "\(scope)") }
            #expect(books.open.holds == 0)
            #expect(books.suspense.isEmpty && books.storeFailure == nil)
            let lines = try await bench.send(
                .GET, "v1/ledger?kind=tenant", headers: ["authorization": "Bearer \(Purse.root)"]
            ).text
            #expect(lines.contains("tenant:acme") && !lines.contains("session:"))
            try await bench.metrics(
                until:
                    #"gateway_spend_dollars_total{model="fake-7b",source="provider",upstream="r1"} \#(prompt + 40).00"#)
            let page = try await bench.send(.GET, "metrics").text
            #expect(page.contains("gateway_ledger_holds 0\n"))
            for secret in ["acme", "u1", "s1", "sk-"] { #expect(!page.contains(secret)) }
        }
    }
}
