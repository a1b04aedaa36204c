import Foundation
import Spillway
import Testing

@testable import Gateway

private let upstreams = "upstreams:\n  a: { url: http://a }\n"
private let models = "models:\n  m: { targets: [{ upstream: a, model: x }] }\n"

struct ConfigurationTests {
    @Test func `the smallest file has the defaults`() throws {
        let configuration = try Configuration(yaml: upstreams + models, file: "g.yaml")
        #expect(configuration.upstreams[0].url == "http://a")
        #expect(configuration.upstreams[0].breaker == .init())
        #expect(configuration.models[0].targets[0].name == "a/x")
        #expect(configuration.models[0].calls.retries == 2)
        #expect(configuration.models[0].calls.hedge == nil)
        #expect(configuration.models[0].calls.commit == .firstToken)
        #expect(configuration.server.port == 8080)
    }

    @Test(arguments: ["gateway-naive", "gateway-spillway"]) func `the files of the demo are read`(name: String) throws {
        let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = examples.appending(path: "Data/\(name).yaml").path
        #expect(try Configuration(path: path, environment: [:]).upstreams.count == 8)
    }

    @Test func `every field is read`() throws {
        let yaml = """
            upstreams:
              a:
                url: https://a.example/v1/
                keyEnv: KEY
                propagate: true
                breaker:
                  { window: { calls: 25 }, failureRatio: 0.3, minimumCalls: 5, openSeconds: 2, probes: 1,
                    slowSeconds: 30, stuck: { olderThanSeconds: 60, calls: 4, share: 0.25 } }
                rateLimit: { perMinute: 60, burst: 10, unit: tokens }
                cooldown: { firstSeconds: 2, maximumSeconds: 9 }
                concurrency: { rule: model, firstContentSeconds: 1, tokensPerSecond: 15, from: 4, to: 90 }
              b:
                url: http://b
                breaker: none
                concurrency: { limit: 7 }
                quota: { provider: anthropic, requestsPerMinute: 50, inputTokensPerMinute: 9000, tokensPerDay: 5000000 }
            models:
              "*": { order: rotating, targets: [{ upstream: a, model: "*" }, { upstream: b, model: y }] }
            policy:
              deadlineSeconds: 7
              attemptSeconds: 6
              firstContentSeconds: 0.5
              stallSeconds: 0.25
              retries: 4
              queue:
                { capacity: 50, longestSeconds: 3, longest: { sheddable: 1 }, newestFirstAfterSeconds: 2,
                  codel: { targetSeconds: 0.2, intervalSeconds: 1 }, weights: { acme: 3 } }
              shed: { sheddable: { from: 0.1, to: 0.2 }, critical: never, criticalPlus: never }
              backoff: { kind: linear, fromMs: 10, capMs: 100, jitter: none }
              budget: unlimited
              tenantLimit: { perMinute: 30, burst: 5, header: x-tenant }
            server: { host: "::1", port: 0, maxBodyBytes: 100, drainSeconds: 0 }
            """
        let configuration = try Configuration(yaml: yaml, file: "g.yaml", environment: ["KEY": "secret"])
        let first = configuration.upstreams[0]
        #expect(first.url == "https://a.example")
        #expect(first.key == "secret")
        #expect(first.propagates)
        #expect(first.breaker?.window == .calls(25))
        #expect(first.breaker?.openDuration == .seconds(2))
        #expect(first.breaker?.slow == .longerThan(.seconds(30)))
        #expect(first.breaker?.stuck == .init(olderThan: .seconds(60), calls: 4, share: 0.25))
        #expect(first.rateLimit == .init(rate: .perMinute(60), burst: 10, unit: .tokens))
        #expect(first.cooldown?.most == .seconds(9))
        #expect(configuration.upstreams[1].breaker == nil)
        #expect(
            first.concurrency
                == .init(.adaptive(.model(firstContent: .seconds(1), tokensPerSecond: 15)), in: 4...90))
        #expect(configuration.upstreams[1].concurrency == .init(.fixed(7)))
        #expect(configuration.upstreams[1].quota?.provider == .anthropic)
        #expect(
            configuration.upstreams[1].quota?.limits
                == .init(requests: .perMinute(50), tokensPerDay: .perDay(5e6), inputTokens: .perMinute(9_000)))
        let calls = configuration.models[0].calls
        #expect(calls.queue?.capacity == 50 && calls.queue?.longest == .seconds(3))
        #expect(calls.queue?.longestByCriticality == [.sheddable: .seconds(1)])
        #expect(calls.queue?.order == .adaptiveLIFO(after: .seconds(2)))
        #expect(calls.queue?.discard == .codel(target: .milliseconds(200), interval: .seconds(1)))
        #expect(calls.queue?.weights == ["acme": 3])
        #expect(calls.shed?.sheddable == .init(0.1, 0.2) && calls.shed?.critical == .never)
        #expect(configuration.models[0].targets.count == 2)
        #expect(configuration.models[0].calls.limits.stall == .milliseconds(250))
        #expect(configuration.models[0].calls.backoff.delay(beforeRetry: 3) == .milliseconds(30))
        #expect(configuration.budget == nil)
        #expect(configuration.tenantLimit?.header == "x-tenant")
        #expect(configuration.server.drain == .zero)
    }

    @Test(
        arguments: [
            ("", nil, "", "is empty"),
            ("upstreams: [", 2, "", "not YAML"),
            ("upstreams:\n  a: { url: http://a }\n  a: { url: http://b }\n", 2, "", "there twice"),
            (models, 1, "", "'upstreams' is missing"),
            (upstreams, 1, "", "'models' is missing"),
            (upstreams + models + "speed: 3\n", 5, "speed", "unknown field"),
            ("upstreams:\n  a:\n    link: x\n" + models, 3, "upstreams.a.link", "unknown field"),
            ("upstreams:\n  a: { breaker: none }\n" + models, 2, "upstreams.a", "'url' is missing"),
            ("upstreams:\n  a: { url: ftp://a }\n" + models, 2, "upstreams.a.url", "'ftp://a' is not an address"),
            ("upstreams:\n  a: { url: http://a, propagate: 1 }\n" + models, 2, "upstreams.a.propagate", "not true or"),
            ("upstreams:\n  a: { url: http://a, keyEnv: KEY }\n" + models, 2, "upstreams.a.keyEnv", "KEY is not set"),
            (
                "upstreams:\n  a:\n    url: http://a\n    breaker:\n      probes: many\n" + models,
                5, "upstreams.a.breaker.probes", "'many' is not a whole number"
            ),
            (
                "upstreams:\n  a:\n    url: http://a\n    breaker:\n      openSeconds: 9\n      maximumOpenSeconds: 1\n"
                    + models,
                5, "upstreams.a.breaker", "maximumOpenDuration"
            ),
            (
                "upstreams:\n  a: { url: http://a, rateLimit: { burst: 3 } }\n" + models,
                2, "upstreams.a.rateLimit", "one of perSecond and perMinute"
            ),
            (
                upstreams + "models:\n  m:\n    targets:\n      - { upstream: b, model: x }\n",
                6, "models.m.targets[0].upstream", "'b' is not one of the upstreams"
            ),
            (upstreams + "models:\n  m: { targets: [] }\n", 4, "models.m.targets", "at least one"),
            (
                upstreams + "models:\n  m: { targets: [{ upstream: a, model: x }, { upstream: a, model: x }] }\n",
                4, "models.m.targets[1]", "twice"
            ),
            (upstreams + models + "policy:\n  retries: -1\n", 6, "policy.retries", "'-1' is not a whole number from 0"),
            (upstreams + models + "policy:\n  stallSeconds: .inf\n", 6, "policy.stallSeconds", "is not a number from"),
            (upstreams + models + "policy:\n  deadlineSeconds: '5'\n", 6, "policy.deadlineSeconds", "not a number"),
            (
                upstreams + models + "policy:\n  backoff: { kind: linear, fromMs: 9, capMs: 3 }\n",
                6, "policy.backoff", "cap"
            ),
            (upstreams + models + "policy:\n  budget: { ratio: 11 }\n", 6, "policy.budget.ratio", "from 0.0 to 10.0"),
            (upstreams + models + "policy:\n  shed: {}\n", 6, "policy.shed", "needs a queue"),
            (
                upstreams + models + "policy:\n  queue: { longest: { urgent: 1 } }\n",
                6, "policy.queue.longest.urgent", "one of sheddable"
            ),
            (upstreams + models + "policy:\n  queue: { capacity: 0 }\n", 6, "policy.queue.capacity", "from 1 to"),
            (
                "upstreams:\n  a: { url: http://a, concurrency: { limit: 3, rule: aimd } }\n" + models,
                2, "upstreams.a.concurrency.rule", "not for a fixed limit"
            ),
            (
                "upstreams:\n  a: { url: http://a, concurrency: { rule: magic } }\n" + models,
                2, "upstreams.a.concurrency.rule", "'magic' is not one of"
            ),
            (upstreams + models + "server:\n  port: 65536\n", 6, "server.port", "'65536' is not a whole number"),
            (upstreams + models + "server: 5\n", 5, "server", "'5' is not a mapping"),
            (
                upstreams + models + "policy:\n  tenantLimit: { perMinute: 1, burst: 1, header: 'a b' }\n",
                6, "policy.tenantLimit.header", "not the name of a header"
            ),
        ] as [(String, Int?, String, String)])
    func `a fault names file, line and field`(yaml: String, line: Int?, field: String, problem: String) throws {
        let error = #expect(throws: ConfigurationFault.self) { try Configuration(yaml: yaml, file: "g.yaml") }
        let fault = try #require(error)
        #expect(fault.line == line, "\(fault)")
        #expect(fault.field == field, "\(fault)")
        #expect(fault.problem.contains(problem), "\(fault)")
        #expect(fault.description.hasPrefix(line.map { "g.yaml:\($0): " } ?? "g.yaml: "))
    }

    @Test(
        arguments: [
            ("{ slowSeconds: 0 }", "slowSeconds", "'0' is not a number from"),
            ("{ slowSeconds: soon }", "slowSeconds", "'soon' is not a number from"),
            ("{ stuck: 60 }", "stuck", "'60' is not a mapping"),
            ("{ stuck: { calls: 3 } }", "stuck", "'olderThanSeconds' is missing"),
            ("{ stuck: { olderThanSeconds: 0 } }", "stuck.olderThanSeconds", "'0' is not a number from"),
            ("{ stuck: { olderThanSeconds: 9, calls: 0 } }", "stuck.calls", "'0' is not a whole number from 1"),
            ("{ stuck: { olderThanSeconds: 9, share: 1.5 } }", "stuck.share", "'1.5' is not a number from 0.0 to 1.0"),
            ("{ stuck: { olderThanSeconds: 9, age: 1 } }", "stuck.age", "unknown field"),
        ])
    func `a fault of a breaker's signals names the field`(breaker: String, field: String, problem: String) throws {
        let yaml = "upstreams:\n  a:\n    url: http://a\n    breaker: \(breaker)\n" + models
        let error = #expect(throws: ConfigurationFault.self) { try Configuration(yaml: yaml, file: "g.yaml") }
        let fault = try #require(error)
        #expect(fault.line == 4, "\(fault)")
        #expect(fault.field == "upstreams.a.breaker.\(field)", "\(fault)")
        #expect(fault.problem.contains(problem), "\(fault)")
    }

    @Test func `a stuck call's age is enough`() throws {
        let yaml = "upstreams:\n  a: { url: http://a, breaker: { stuck: { olderThanSeconds: 9 } } }\n" + models
        let breaker = try Configuration(yaml: yaml, file: "g.yaml").upstreams[0].breaker
        #expect(breaker?.stuck == .init(olderThan: .seconds(9)))
        #expect(breaker?.slow == .reported)
    }

    @Test func `a file that is not there is a fault`() {
        #expect(throws: ConfigurationFault.self) { try Configuration(path: "/nowhere/gateway.yaml") }
    }

    @Test(arguments: ["naive", "spillway"])
    func `the demo's files are good`(name: String) throws {
        let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../Data")
        let configuration = try Configuration(path: data.appending(path: "gateway-\(name).yaml").path, environment: [:])
        #expect(configuration.upstreams.count == 8)
        #expect(configuration.models[0].targets.count == 8)
        #expect(configuration.upstreams.allSatisfy { ($0.breaker == nil) == (name == "naive") })
    }
}
