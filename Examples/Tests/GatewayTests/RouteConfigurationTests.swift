import Spillway
import SpillwayHTTPClient
import Testing

@testable import Gateway

private let start = """
    upstreams:
      a: { url: http://a }
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

    @Test func `a model goes without the hedge of the file`() throws {
        let policy = "{ hedge: { afterSeconds: 0.5 }, commit: wholeAnswer, recovery: restart }"
        #expect(try calls(model: "{}", policy: policy).hedge?.upTo == 1)
        #expect(try calls(model: "{}", policy: policy).commit == .wholeAnswer)
        #expect(try calls(model: "{ hedge: none }", policy: policy).hedge == nil)
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
            ("{ recovery: retry }", "recovery", "'retry' is not one of fail, restart, continue, continueLastMessage"),
            ("{ hedge: soon }", "hedge", "'soon' is not a mapping"),
            ("{ hedge: { upTo: 1 } }", "hedge", "one of afterSeconds and quantile"),
            ("{ hedge: { afterSeconds: 1, quantile: 0.9 } }", "hedge", "one of afterSeconds and quantile"),
            ("{ hedge: { afterSeconds: -1 } }", "hedge.afterSeconds", "'-1' is not a number from"),
            ("{ hedge: { afterSeconds: 1, atMostSeconds: 2 } }", "hedge.atMostSeconds", "for a quantile alone"),
            ("{ hedge: { quantile: 0.3 } }", "hedge.quantile", "'0.3' is not a number from 0.5"),
            ("{ hedge: { quantile: 0.9, upTo: 4 } }", "hedge.upTo", "'4' is not a whole number from 1 to 3"),
            ("{ hedge: { quantile: 0.9, atLeastSeconds: 3, atMostSeconds: 1 } }", "hedge", "atMost"),
        ])
    func `a fault names the line and the field, in a model and in the file`(
        policy: String, field: String, problem: String
    ) throws {
        let global = ["budget", "tenantLimit"].contains(field)
        for (yaml, line, path) in [
            ("\(start)    policy: \(policy)\n", 6, "models.m.policy"), ("\(start)policy: \(policy)\n", 6, "policy"),
        ] where path != "policy" || !global {
            let error = #expect(throws: ConfigurationFault.self) { try Configuration(yaml: yaml, file: "g.yaml") }
            let fault = try #require(error)
            #expect(fault.line == line, "\(fault)")
            #expect(fault.field == (field.isEmpty ? path : "\(path).\(field)"), "\(fault)")
            #expect(fault.problem.contains(problem), "\(fault)")
        }
    }
}
