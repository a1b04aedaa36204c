import AsyncHTTPClient
import CostLedger
import FleetFaults
import Foundation
import NIOHTTP1
import Testing

@testable import FakeFleet
@testable import Gateway

/// What happens when the money runs out.
@Suite(.serialized, .timeLimit(.minutes(10))) struct BudgetTests {
    @Test(arguments: [true, false], ["total", "month", "hour", "{ rollingSeconds: 600 }"])
    func `a budget that is used up says what is left and when it renews`(streamed: Bool, window: String) async throws {
        try await withBench(replicas: 1, extra: Purse.yaml("{ hardDollars: 300, per: \(window) }")) { bench in
            var spent = Money.zero
            for _ in 0..<10 {
                let paid = try await bench.pay(streamed: streamed)
                guard paid.seen.status == 200 else { break }
                spent += (streamed ? paid.finalCost : paid.cost) ?? .zero
            }
            let refused = try await bench.pay(streamed: streamed)
            #expect(spent > .dollars(100) && spent <= .dollars(300))
            #expect(refused.headers["x-spillway-remaining"] == (Money.dollars(300) - spent).digits)
            #expect(refused.seen.code == "insufficient_quota")
            #expect(refused.seen.error?["type"] == "insufficient_quota")
            #expect(refused.message.contains("has \(Money.dollars(300) - spent) left"))
            #expect(refused.headers["x-spillway-cost"] == "0.00")
            switch window {
            case "total":
                #expect(refused.seen.status == 402)
                #expect(refused.message.hasPrefix("The tenant's limit of $300.00 in total"))
                #expect(refused.message.hasSuffix("It does not renew."))
                #expect(refused.headers["retry-after"] == nil)
            case "month":
                // In the last hour of a month it renews soon.
                #expect([402, 429].contains(refused.seen.status))
                #expect(refused.message.hasPrefix("The tenant's limit of $300.00 per month"))
                #expect(refused.headers["x-spillway-renews"]?.hasSuffix("-01T00:00:00Z") == true)
            default:
                #expect(refused.seen.status == 429)
                let wait = refused.headers["retry-after"].flatMap { Int($0) } ?? 0
                #expect((1...(window == "hour" ? 3_600 : 50)).contains(wait))
                #expect(refused.headers["x-spillway-renews"] != nil)
                #expect(refused.message.contains(window == "hour" ? "per hour" : "in any 600 seconds"))
            }
            try await bench.metrics(until: #"gateway_ledger_refusals_total{reason="spend_limit"}"#)
            try bench.balances()
        }
    }

    @Test func `a call that is larger than the whole limit is not told to come back`() async throws {
        try await withBench(replicas: 1, extra: Purse.yaml("{ hardDollars: 50, per: hour }")) { bench in
            let refused = try await bench.pay()
            #expect(refused.seen.status == 402)
            #expect(refused.headers["retry-after"] == nil)
            #expect(try await bench.calls == [0])
        }
    }

    @Test func `callers beside each other never spend more than there is`() async throws {
        // About seven of them fit beside each other.
        let limit = Money.dollars(1_000)
        let flags = ["--slots=64"]
        try await withBench(flags: flags, extra: Purse.yaml("{ hardDollars: 1000, per: total }")) { bench in
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
            let client = HTTPClient(configuration: configuration)
            let crowd = Bench(fleet: bench.fleet, gateway: bench.gateway, port: bench.port, client: client)
            let statuses = try await withThrowingTaskGroup(of: UInt.self) { group in
                for number in 0..<64 {
                    group.addTask { try await crowd.pay(streamed: number.isMultiple(of: 2)).seen.status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await client.shutdown()
            #expect(statuses.allSatisfy { [200, 402, 429].contains($0) })
            #expect(statuses.contains(200) && statuses.contains { $0 != 200 })
            let spent = try #require(try await bench.books().spent("tenant:acme"))
            #expect(spent > .zero && spent <= limit)
            try bench.balances()
        }
    }

    @Test func `an agent that loops is stopped by the rate at which it spends, and others are not`() async throws {
        let all = "{ each: session, hardDollars: 500, per: { rollingSeconds: 86400, steps: 2 } }"
        try await withBench(replicas: 1, extra: Purse.yaml(all: all)) { bench in
            let agent = session("agent")
            var calls = 0
            while try await bench.pay(headers: agent).seen.status == 200 {
                calls += 1
                try #require(calls < 20)
            }
            #expect(calls > 1)
            let refused = try await bench.pay(headers: agent)
            #expect([402, 429].contains(refused.seen.status))
            #expect(refused.message.hasPrefix("The session's limit of $500.00 in any 86400 seconds"))
            #expect(try await bench.pay(headers: session("other")).seen.status == 200)
            #expect(try await bench.pay().seen.status == 200)
            #expect(try #require(try await bench.books().spent("session:acme/agent")) <= .dollars(500))
        }
    }

    @Test func `a stream is cut when the money is used up, in a way that clients understand`() async throws {
        // Nothing says how long the answer is: 5 tokens are held for, and the fleet gives 128.
        let yaml = Purse.yaml("{ hardDollars: 80, per: total }", more: ", onLimit: cut")
            .replacing("assumedOutputTokens: 200", with: "assumedOutputTokens: 5")
        try await withBench(replicas: 1, extra: yaml) { bench in
            let paid = try await bench.pay(streamed: true, extra: "")
            #expect(paid.seen.status == 200)
            #expect(!paid.seen.text.isEmpty)
            #expect(paid.seen.finish == "length")
            #expect(paid.seen.code == "insufficient_quota")
            #expect(paid.message.contains("The tenant's limit of $80.00 in total has $0.00 left"))
            #expect(paid.seen.afterError == 0 && !paid.seen.isDone)
            // The overrun is what came between two looks at it.
            let cost = try #require(paid.finalCost)
            #expect(cost >= .dollars(80) && cost < .dollars(80 + 24))
            #expect(try await bench.books().spent("tenant:acme") == cost)
            try await bench.stats { $0.replicas[0].running == 0 }
            #expect(try await bench.calls == [1])
            try await bench.metrics(until: #"gateway_ledger_refusals_total{reason="cut"} 1"#)
            try bench.balances()
        }
    }

    @Test func `a stream that is not to be cut is finished, and the rest is overage`() async throws {
        let yaml = Purse.yaml("{ hardDollars: 80, per: total }")
            .replacing("assumedOutputTokens: 200", with: "assumedOutputTokens: 5")
        try await withBench(replicas: 1, extra: yaml) { bench in
            let paid = try await bench.pay(streamed: true, extra: "")
            #expect(paid.seen.isDone && paid.seen.error == nil)
            #expect(try #require(paid.finalCost) >= .dollars(128))
            #expect(try await bench.books().spent("tenant:acme") == paid.finalCost)
            #expect(try await bench.pay().seen.status == 402)
        }
    }
}

private func session(_ name: String) -> HTTPHeaders { ["x-spillway-session": name] }
