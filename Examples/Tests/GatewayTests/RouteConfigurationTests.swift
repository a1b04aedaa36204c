import Spillway
import SpillwayHTTPClient
import Testing

@testable import Gateway

private let start = """
    upstreams:
      a: { url: http://a, prefill: flags }
      b: { url: http://b }
    models:
      m:
        targets: [{ upstream: a, model: x }]

    """

struct RouteConfigurationTests {
    private func calls(model: String, policy: String = "{}") throws -> Configuration.Calls {
        let yaml = "\(start)    policy: \(model)\npolicy: \(policy)\n"
        return try Configuration(yaml: yaml, file: "g.yaml").models[0].calls
    }

    @Test func `a model's own policy goes over the file's, field by field`() throws {
        let calls = try calls(
            model: "{ stallSeconds: 2, commit: { tokens: 30 }, recovery: continue, hedge: { quantile: 0.9, upTo: 2 } }",
            policy: "{ stallSeconds: 5, firstContentSeconds: 3, tokensPerSecond: 4, patienceSeconds: 6, retries: 7 }")
        #expect(calls.limits.stall == .seconds(2))
        #expect(calls.limits.firstContent == .seconds(3))
        #expect(calls.limits.tokensPerSecond == 4)
        #expect(calls.limits.patience == .seconds(6))
        #expect(calls.retries == 7)
        #expect(calls.commit == .tokens(30))
        #expect(calls.recovery == .continue(.flags))
        #expect(calls.hedge?.upTo == 2)
    }

    @Test func `limits that are not given are no longer than an attempt`() throws {
        let short = try calls(model: "{ attemptSeconds: 5 }").limits
        #expect(short.firstContent == .seconds(5) && short.stall == .seconds(5))
        let given = try calls(model: "{ attemptSeconds: 5, stallSeconds: 1 }", policy: "{ firstContentSeconds: 3 }")
            .limits
        #expect(given.firstContent == .seconds(3) && given.stall == .seconds(1))
    }

    @Test func `a model goes without the hedge of the file`() throws {
        let policy = "{ hedge: { afterSeconds: 0.5 }, commit: wholeAnswer, recovery: restart }"
        #expect(try calls(model: "{}", policy: policy).hedge?.upTo == 1)
        #expect(try calls(model: "{}", policy: policy).commit == .wholeAnswer)
        #expect(try calls(model: "{ hedge: none }", policy: policy).hedge == nil)
    }

    @Test func `what is slow, what capacity is spare and how little time is too little`() throws {
        let calls = try calls(
            model: "{ minimumSeconds: 1, hedge: { shortest: { quantile: 0.99, share: 0.05 }, upTo: 2 } }",
            policy: "{ deadlineSeconds: 3, slow: { firstContentSeconds: 1, tokensPerSecond: 9 } }")
        #expect(calls.minimum == .seconds(1))
        #expect(calls.hedge?.upTo == 2)
        #expect(calls.hedge?.maxInFlight == nil)
        #expect(try calls.slow == SlowAnswer(firstContent: .seconds(1), tokensPerSecond: 9))
        let policy = "{ slow: { tokensPerSecond: 9 }, hedge: { afterSeconds: 1, spareCapacity: { maxInFlight: 4 } } }"
        #expect(try self.calls(model: "{ slow: none }", policy: policy).slow == nil)
        #expect(try self.calls(model: "{}", policy: policy).hedge?.maxInFlight == 4)
    }

    @Test(arguments: [("none", nil), ("flags", .flags), ("lastMessage", .lastMessage)] as [(String, Prefill.Style?)])
    func `an upstream says how it is asked to go on`(text: String, style: Prefill.Style?) throws {
        let yaml = start.replacing("prefill: flags", with: "prefill: \(text)")
        #expect(try Configuration(yaml: yaml, file: "g.yaml").upstreams[0].prefill == style)
    }

    @Test func `some upstream must go on, where the route wants that`() throws {
        let yaml = start.replacing("upstream: a", with: "upstream: b") + "policy: { recovery: continue }\n"
        let error = #expect(throws: ConfigurationFault.self) { try Configuration(yaml: yaml, file: "g.yaml") }
        let fault = try #require(error)
        #expect(fault.field == "models.m.targets")
        #expect(fault.problem.contains("the field 'prefill' of no upstream here says how"))
    }

    @Test(
        arguments: [
            ("{ retry: 3 }", "retry", "unknown field"),
            ("{ budget: unlimited }", "budget", "unknown field"),
            ("{ tenantLimit: {} }", "tenantLimit", "unknown field"),
            ("{ idleSeconds: 3 }", "idleSeconds", "unknown field"),
            ("{ tokensPerSecond: 0 }", "tokensPerSecond", "'0' is not a number from"),
            ("{ patienceSeconds: 0 }", "patienceSeconds", "is not a number from"),
            ("{ commit: now }", "commit", "'now' is not one of firstToken, wholeAnswer"),
            ("{ commit: { tokens: 0 } }", "commit.tokens", "'0' is not a whole number from 1"),
            ("{ commit: { bytes: 9 } }", "commit.bytes", "unknown field"),
            ("{ commit: {} }", "commit", "'tokens' is missing"),
            ("{ recovery: retry }", "recovery", "'retry' is not one of fail, restart, continue"),
            ("{ hedge: soon }", "hedge", "'soon' is not a mapping"),
            ("{ hedge: { upTo: 1 } }", "hedge", "one of afterSeconds, quantile and shortest"),
            ("{ hedge: { afterSeconds: 1, quantile: 0.9 } }", "hedge", "one of afterSeconds, quantile and shortest"),
            ("{ hedge: { afterSeconds: -1 } }", "hedge.afterSeconds", "'-1' is not a number from"),
            ("{ hedge: { afterSeconds: 1, atMostSeconds: 2 } }", "hedge.atMostSeconds", "not for a fixed delay"),
            ("{ hedge: { shortest: { quantile: 0.99 } } }", "hedge.shortest", "'share' is missing"),
            ("{ hedge: { shortest: { quantile: 0.99, share: 2 } } }", "hedge.shortest.share", "'2' is not a number"),
            ("{ hedge: { quantile: 0.9, spareCapacity: {} } }", "hedge.spareCapacity", "'maxInFlight' is missing"),
            (
                "{ hedge: { quantile: 0.9, spareCapacity: { maxInFlight: 0 } } }", "hedge.spareCapacity.maxInFlight",
                "'0' is not a whole number"
            ),
            ("{ slow: {} }", "slow", "needs firstContentSeconds, tokensPerSecond, or both"),
            ("{ slow: { tokensPerSecond: 0 } }", "slow.tokensPerSecond", "'0' is not a number from"),
            ("{ deadlineSeconds: 2, minimumSeconds: 3 }", "", "at most the duration"),
            ("{ attemptSeconds: 2, firstContentSeconds: 3 }", "", "firstContent is 3.0 seconds"),
            ("{ attemptSeconds: 2, stallSeconds: 3 }", "", "stall is 3.0 seconds"),
            ("{ deadlineSeconds: 2, hedge: { afterSeconds: 2 } }", "", "delay is 2.0 seconds"),
            ("{ hedge: { quantile: 0.3 } }", "hedge.quantile", "'0.3' is not a number from 0.5"),
            ("{ hedge: { quantile: 0.9, upTo: 4 } }", "hedge.upTo", "'4' is not a whole number from 1 to 3"),
            ("{ hedge: { quantile: 0.9, atLeastSeconds: 3, atMostSeconds: 1 } }", "hedge", "atMost"),
        ])
    func `a fault names the line and the field, in a model and in the file`(
        policy: String, field: String, problem: String
    ) throws {
        let global = ["budget", "tenantLimit"].contains(field)
        for (yaml, line, path) in [
            ("\(start)    policy: \(policy)\n", 7, "models.m.policy"), ("\(start)policy: \(policy)\n", 7, "policy"),
        ] where path != "policy" || !global {
            let error = #expect(throws: ConfigurationFault.self) { try Configuration(yaml: yaml, file: "g.yaml") }
            let fault = try #require(error)
            #expect(fault.line == line, "\(fault)")
            #expect(fault.field == (field.isEmpty ? path : "\(path).\(field)"), "\(fault)")
            #expect(fault.problem.contains(problem), "\(fault)")
        }
    }
}
