import Foundation
import Spillway
import Testing

@testable import Gateway

private let upstreams = "upstreams:\n  a: { url: http://a }\n  b: { url: http://b }\nmodels:\n  m:\n"
private let premium = "{ name: premium, targets: [{ upstream: a, model: x }] }"

struct LadderConfigurationTests {
    @Test func `every field of a ladder is read`() throws {
        let yaml = """
            \(upstreams)    tiers:
                  - name: premium
                    choice: { cheapest: { withinSeconds: 2 } }
                    targets:
                      - { upstream: a, model: x, price: y, quality: 0.9, window: 1000, weight: 3 }
                      - { upstream: b, model: x }
                    needs: { timeSeconds: 5, loadBelow: 0.8 }
                    maxOutputTokens: 300
                    limits: { attemptSeconds: 9, firstContentSeconds: 3, stallSeconds: 2 }
                    fallbacks: { context_too_long: wide, overloaded: kept }
                  - { name: wide, choice: leastLoad, targets: [{ upstream: b, model: z }], spare: true }
                  - { name: kept, cache: { bytes: 4096, seconds: 60, staleSeconds: 600 } }
                  - { name: passages, retrieval: { upstream: b, model: search } }
                  - { name: older, cache: same }
                  - { name: later, deferral: true }
                hysteresis:
                  { misses: 5, dwellSeconds: 7, maximumDwellSeconds: 70, probeEverySeconds: 2, successes: 4, sharesPurse: true }
                whenUnacceptable: degrade
            policy: { queue: {} }
            prices: { models: { y: { perRequest: 1 }, x: { perRequest: 1 }, z: { perRequest: 2 } } }
            jobs:
              { file: jobs.sqlite, synchronous: normal, workers: 2, loadBelow: 0.3, leaseSeconds: 30, expireSeconds: 200000,
                keepSeconds: 300, attempts: 3, longestRunSeconds: 40, most: 50 }
            """
        let configuration = try Configuration(yaml: yaml, file: "/etc/g.yaml")
        let ladder = try #require(configuration.models[0].ladder)
        #expect(ladder.tiers.map(\.name) == ["premium", "wide", "kept", "passages", "older", "later"])
        let first = ladder.tiers[0]
        guard case .models(.cheapest(let goal), let models) = first.kind else {
            Issue.record("\(first.kind)")
            return
        }
        #expect(goal == .seconds(2))
        let place = Configuration.Model.Place(upstream: "a", model: "x", priced: "y")
        #expect(models[0] == .init(place: place, quality: 0.9, window: 1_000, weight: 3))
        #expect(models[1].quality == 0.5 && models[1].window == nil)
        #expect(first.time == .seconds(5) && first.loadBelow == 0.8 && first.maxOutput == 300)
        #expect(first.limits?.attempt == .seconds(9) && first.limits?.firstContent == .seconds(3))
        #expect(first.limits?.stall == .seconds(2))
        #expect(first.fallbacks == [.contextTooLong: "wide", .overloaded: "kept"])
        #expect(ladder.tiers[1].isSpare && !first.isSpare)
        guard case .cache(let cache?) = ladder.tiers[2].kind, case .cache(nil) = ladder.tiers[4].kind else {
            Issue.record("\(ladder.tiers)")
            return
        }
        #expect(cache.bytes == 4_096 && cache.fresh == .seconds(60) && cache.stale == .seconds(600))
        #expect(ladder.defers && ladder.whenUnacceptable == .degrade)
        #expect(ladder.hysteresis.misses == 5 && ladder.hysteresis.dwell == .seconds(7))
        #expect(ladder.hysteresis.maximumDwell == .seconds(70) && ladder.hysteresis.probeEvery == .seconds(2))
        #expect(ladder.hysteresis.successes == 4 && ladder.hysteresis.sharesPurse)
        #expect(configuration.models[0].targets.map(\.name) == ["a/x", "b/x", "b/z"])
        let jobs = try #require(configuration.jobs)
        #expect(jobs.file == "/etc/jobs.sqlite" && jobs.synchronous == .normal && jobs.workers == 2)
        #expect(jobs.loadBelow == 0.3 && jobs.lease == .seconds(30) && jobs.expires == .seconds(200_000))
        #expect(jobs.keeps == .seconds(300) && jobs.attempts == 3 && jobs.longestRun == .seconds(40) && jobs.most == 50)
    }

    @Test(
        arguments: [
            ("    tiers: []\n", 6, "models.m.tiers", "at least one"),
            ("    order: ladder\n    tiers: [\(premium)]\n", 6, "models.m.order", "not for a model with 'tiers'"),
            (
                "    targets: [{ upstream: a, model: x }]\n    hysteresis: {}\n", 7, "models.m.hysteresis",
                "with 'tiers'"
            ),
            ("    policy: {}\n", 6, "models.m", "needs 'targets' or 'tiers'"),
            ("    tiers:\n      - \(premium)\n      - \(premium)\n", 8, "models.m.tiers[1]", "twice"),
            ("    tiers: [{ name: p }]\n", 6, "models.m.tiers[0]", "one of targets, cache"),
            ("    tiers: [{ name: p, deferral: true, cache: {} }]\n", 6, "models.m.tiers[0]", "one of targets, cache"),
            ("    tiers: [{ name: p, deferral: false }]\n", 6, "models.m.tiers[0].deferral", "is not true"),
            ("    tiers: [{ name: p, deferral: true }]\n", 6, "models.m.tiers[0].deferral", "needs 'jobs'"),
            ("    tiers: [{ name: a/b, cache: {} }]\n", 6, "models.m.tiers[0].name", "'a/b' is not a name"),
            ("    tiers: [{ name: p, cache: same }]\n", 6, "models.m.tiers[0].cache", "below another"),
            (
                "    tiers:\n      - { name: p, cache: {} }\n      - { name: q, cache: {} }\n",
                8, "models.m.tiers[1].cache", "cache: same"
            ),
            ("    tiers: [{ name: p, cache: { bytes: 1 } }]\n", 6, "models.m.tiers[0].cache.bytes", "'1' is not"),
            (
                "    tiers: [{ name: p, retrieval: { upstream: c, model: x } }]\n",
                6, "models.m.tiers[0].retrieval.upstream", "'c' is not one of the upstreams"
            ),
            (
                "    tiers: [{ name: p, choice: best, targets: [{ upstream: a, model: x }] }]\n",
                6, "models.m.tiers[0].choice", "'best' is not one of inOrder"
            ),
            (
                "    tiers: [{ name: p, choice: cheapest, targets: [{ upstream: a, model: x }] }]\n",
                6, "models.m.tiers[0].choice", "needs the field 'prices'"
            ),
            (
                "    tiers: [{ name: p, targets: [{ upstream: a, model: x, quality: 2 }] }]\n",
                6, "models.m.tiers[0].targets[0].quality", "'2' is not a number from 0.0 to 1.0"
            ),
            (
                "    tiers: [{ name: p, targets: [{ upstream: a, model: x }, { upstream: a, model: x }] }]\n",
                6, "models.m.tiers[0]", "'a/x' twice"
            ),
            (
                "    tiers:\n      - \(premium)\n      - { name: q, targets: [{ upstream: a, model: x, quality: 1 }] }\n",
                8, "models.m.tiers[1].targets[0]", "another price, quality"
            ),
            (
                "    tiers: [{ name: p, targets: [{ upstream: a, model: x }], needs: { loadBelow: 0.5 } }]\n",
                6, "models.m.tiers[0].needs.loadBelow", "needs a queue"
            ),
            (
                "    tiers:\n      - { name: p, targets: [{ upstream: a, model: x }], limits: { attemptSeconds: 1, stallSeconds: 2 } }\n",
                7, "models.m.tiers[0].limits", "stall"
            ),
            (
                "    tiers: [{ name: p, targets: [{ upstream: a, model: x }], fallbacks: { bad_luck: p } }]\n",
                6, "models.m.tiers[0].fallbacks.bad_luck", "no cause"
            ),
            (
                "    tiers: [{ name: p, targets: [{ upstream: a, model: x }], fallbacks: { timeout: q } }]\n",
                6, "models.m.tiers[0].fallbacks.timeout", "'q' is not one of the tiers"
            ),
            (
                "    tiers:\n      - \(premium)\n"
                    + "      - { name: q, targets: [{ upstream: b, model: x }], fallbacks: { timeout: premium } }\n",
                7, "models.m.tiers", "premium → q → premium"
            ),
            ("    tiers: [\(premium)]\n    hysteresis: { misses: 0 }\n", 7, "models.m.hysteresis.misses", "'0' is not"),
            ("    tiers: [\(premium)]\n    whenUnacceptable: cry\n", 7, "models.m.whenUnacceptable", "'cry' is not"),
            ("    tiers: [\(premium)]\njobs: { workers: 0 }\n", 7, "jobs.workers", "'0' is not"),
            ("    tiers: [\(premium)]\njobs: { synchronous: full }\n", 7, "jobs.synchronous", "with a 'file'"),
        ] as [(String, Int, String, String)])
    func `a fault of a ladder names file, line and field`(
        yaml: String, line: Int, field: String, problem: String
    ) throws {
        let error = #expect(throws: ConfigurationFault.self) {
            try Configuration(yaml: upstreams + yaml, file: "g.yaml")
        }
        let fault = try #require(error)
        #expect(fault.line == line, "\(fault)")
        #expect(fault.field == field, "\(fault)")
        #expect(fault.problem.contains(problem), "\(fault)")
    }

    @Test func `the file of the ladder is good`() throws {
        let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../Data")
        let configuration = try Configuration(path: data.appending(path: "gateway-ladder.yaml").path, environment: [:])
        #expect(configuration.models[0].ladder?.tiers.map(\.name) == ["premium", "compact", "kept", "later"])
        #expect(configuration.jobs?.file?.hasSuffix("/Data/jobs.sqlite") == true)
    }
}
