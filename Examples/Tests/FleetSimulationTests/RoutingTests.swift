import ArgumentParser
import Foundation
import Spillway
import Testing

@testable import FleetSimulation

@Suite("Routing")
struct RoutingTests {
    /// A request of a trace.
    private struct Asked {
        var at: Double
        var tokens: Int
        var output: Int
        var blocks: [UInt64]

        var line: String {
            """
            {"timestamp": \(Int(at * 1_000)), "input_length": \(tokens), "output_length": \(output), \
            "hash_ids": [\(blocks.map { "\($0)" }.joined(separator: ", "))]}
            """
        }
    }

    /// Conversations that grow: all begin with one of four system prompts, and each turn with all that was said before.
    private static func conversations(_ count: Int, seed: UInt64) throws -> RoutingTrace {
        let random = RandomSource.seeded(seed)
        var asked: [Asked] = [], lastBlock: UInt64 = 100
        for _ in 0..<count {
            let system = UInt64(random.upTo(3))
            var blocks = [system * 2, system * 2 + 1], at = random.uniform() * 600
            for _ in 0..<random.upTo(8) + 1 {
                for _ in 0..<random.upTo(3) + 1 {
                    lastBlock += 1
                    blocks.append(lastBlock)
                }
                // The last block is whole, or it would change with the next turn.
                asked.append(Asked(at: at, tokens: blocks.count * 512, output: 20 + random.upTo(200), blocks: blocks))
                at += 5 - 30 * log(1 - random.uniform())
            }
        }
        asked.sort { $0.at < $1.at }
        return try RoutingTrace(text: asked.map(\.line).joined(separator: "\n"))
    }

    private static func small(clients: Int = 1) -> RoutingSettings { RoutingSettings(replicas: 4, clients: clients) }

    @Test("both forms of traces are read")
    func forms() throws {
        let mooncake = try RoutingTrace(
            text: """
                {"timestamp": 500, "input_length": 1030, "output_length": 0, "hash_ids": [1, 2, 7]}

                {"timestamp": 2500, "input_length": 3, "output_length": 5}
                """)
        #expect(mooncake.arrivals.map(\.at) == [0, 2] && mooncake.seconds == 2)
        #expect(mooncake.arrivals.map(\.tokens) == [1030, 3] && mooncake.arrivals.map(\.output) == [1, 5])
        #expect(mooncake.arrivals.map(\.blocks) == [[1, 2, 7], []])
        let azure = try RoutingTrace(
            text: """
                TIMESTAMP,ContextTokens,GeneratedTokens
                2023-11-16 18:15:46.5,374,44
                2023-11-16 18:15:50.0,396,109
                """)
        #expect(azure.arrivals.map(\.at) == [0, 3.5] && azure.arrivals.map(\.tokens) == [374, 396])
        #expect(azure.arrivals.map(\.output) == [44, 109] && azure.arrivals.allSatisfy(\.blocks.isEmpty))
    }

    private static let good = #"{"timestamp": 5, "input_length": 9, "output_length": 5, "hash_ids": [1]}"#

    private static let bad: [(String, String)] = [
        ("", "has no calls"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "has no calls"),
        (good, "no two requests at different times"),
        (good + "\n" + good, "no two requests at different times"),
        ("h\n2023-11-16 18:15:46.5,1,1\n2023-11-16 18:15:46.5,1,1", "no two requests at different times"),
        (good + "\n\n{nonsense}", "line 3: no object"),
        (good + "\n" + #"{"timestamp": 5, "input_length": 9}"#, "line 2: no object"),
        (good + "\n" + #"{"timestamp": "5", "input_length": 9, "output_length": 5}"#, "line 2: no object"),
        (#"{"timestamp": 5, "input_length": 0, "output_length": 5}"#, "line 1: input_length or output_length"),
        (#"{"timestamp": 5, "input_length": 1, "output_length": -1}"#, "line 1: input_length or output_length"),
        (#"{"timestamp": 5, "input_length": 200000000, "output_length": 1}"#, "line 1: input_length"),
        (
            #"{"timestamp": 5, "input_length": 512, "output_length": 5, "hash_ids": [1, 2]}"#,
            "line 1: more hash_ids than blocks of 512 tokens"
        ),
        (good + "\n" + #"{"timestamp": 4, "input_length": 1, "output_length": 1}"#, "line 2: earlier than"),
        ("h\nnonsense", "line 2: 'nonsense' is no call"),
        ("h\n2023-11-16 18:15:46.6,1,-1", "line 2"),
        ("h\n2023-11-16 18:15:46.6,200000000,1", "line 2: more tokens than a call can have"),
        ("h\n2023-11-16 18:15:46.6,1,1\n2023-11-16 18:15:45.6,1,1", "line 3: earlier than"),
    ]

    @Test("bad traces are refused with the line", arguments: bad)
    func badTraces(text: String, reason: String) throws {
        let error = #expect(throws: ValidationError.self) { try RoutingTrace(text: text) }
        #expect(try #require(error).message.contains(reason), "\(String(describing: error))")
    }

    @Test("a file that is not there is refused by its path")
    func noFile() throws {
        let error = #expect(throws: ValidationError.self) { try RoutingTrace(path: "/nowhere") }
        #expect(try #require(error).message.hasPrefix("--trace /nowhere cannot be read"))
    }

    @Test("a trace of which no engine can take anything is refused")
    func nothingFits() async throws {
        let line = #"{"timestamp": 0, "input_length": 1000000, "output_length": 1}"#
        let trace = try RoutingTrace(text: line + "\n" + line.replacing(": 0,", with: ": 9,"))
        await #expect(throws: ValidationError.self) {
            try await RoutingStudy.run(trace, Self.small(), [.roundRobin], seeds: 1..<2)
        }
    }

    @Test("the results in all formats, and the same from the same seeds")
    func output() async throws {
        let trace = try Self.conversations(30, seed: 7)
        let rules: [FleetRule] = [.predicted, .random, .powerOfTwo]
        let study = try await RoutingStudy.run(trace, Self.small(clients: 2), rules, seeds: 3..<5)
        let rows = study.tsv.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        #expect(rows[0] == ["policy", "ttft_p50", "ttft_p99", "hit_rate", "goodput"])
        #expect(rows.map { $0[0] } == ["policy", "spillway", "random", "power_of_two"])
        for (row, cells) in zip(study.rows, rows.dropFirst()) {
            // Both seeds together.
            #expect(row.first.count == 2 * trace.arrivals.count && row.results.count == 2)
            #expect(cells[1] == String(format: "%.3f", row.first[row.first.count / 2]))
            #expect(cells[2] == String(format: "%.3f", row.first[row.first.count * 99 / 100]))
            let hits = (row.results[0].hitRate + row.results[1].hitRate) / 2
            #expect(cells[3] == String(format: "%.4f", hits) && hits > 0)
            let good = (row.results[0].goodput + row.results[1].goodput) / 2
            #expect(cells[4] == String(format: "%.3f", good) && good > 0)
        }
        #expect(study.table.contains("\nfloor ") && study.table.contains("4 replicas, 2 clients, reports every 0.2 s"))
        #expect(complaint(about: study.svg) == nil)

        let again = try await RoutingStudy.run(trace, Self.small(clients: 2), rules, seeds: 3..<5)
        #expect(again.tsv == study.tsv && again.table == study.table && again.svg == study.svg)
        #expect(study.rows[1].results[0].first != study.rows[1].results[1].first, "two seeds are two runs")
    }

    @Test("every request is answered once or refused, and no rule passes the floor")
    func accounts() async throws {
        let text = try Self.conversations(40, seed: 8).arrivals.map {
            Asked(at: $0.at, tokens: $0.tokens, output: $0.output, blocks: $0.blocks).line
        }
        let last = #"{"timestamp": 9000000, "input_length": 140000, "output_length": 10}"#
        let trace = try RoutingTrace(text: (text + [last]).joined(separator: "\n"))
        let study = try await RoutingStudy.run(trace, Self.small(clients: 3), FleetRule.allCases, seeds: 1..<2)
        #expect(study.floor.hitRate > 0.3 && study.floor.first.count == trace.arrivals.count - 1)
        for row in study.rows {
            let result = try #require(row.results.first)
            #expect(result.refused == 1 && result.first.count == trace.arrivals.count - 1, "\(row.rule)")
            #expect(result.good <= result.first.count && result.hitRate <= study.floor.hitRate, "\(row.rule)")
            #expect(zip(row.first, study.floor.first).allSatisfy { $0 >= $1 }, "\(row.rule)")
        }
    }

    @Test("the floor is the roofline's time")
    func floor() throws {
        let line = #"{"timestamp": 0, "input_length": 1024, "output_length": 99, "hash_ids": [1, 2]}"#
        let trace = try RoutingTrace(text: line + "\n" + line.replacing(": 0,", with: ": 9,"))
        let floor = try RoutingFloor(trace, Self.small()), engine = try Self.small().engine()
        func step(_ tokens: Int) -> Double {
            let memory = engine.weightsReadTime + engine.contextReadTime * 1_024
            return (engine.stepOverhead + engine.sequenceOverhead + max(engine.computeTime * tokens, memory))
                / .seconds(1)
        }
        // The last block is computed again, because its last token is what the first of the answer comes from.
        for (first, expected) in zip(floor.first, [step(16), step(1_024)]) { #expect(abs(first - expected) < 1e-8) }
        #expect(floor.first.count == 2 && floor.hitRate == 1_008 / 2_048.0)
    }

    @Test("where nobody knows what prompts share, nothing is found in caches")
    func withoutHashes() async throws {
        let text = try Self.conversations(20, seed: 9).arrivals.map {
            Asked(at: $0.at, tokens: $0.tokens, output: $0.output, blocks: []).line
        }
        let trace = try RoutingTrace(text: text.joined(separator: "\n"))
        let study = try await RoutingStudy.run(trace, Self.small(), FleetRule.allCases, seeds: 1..<2)
        #expect(study.floor.hitRate == 0 && study.rows.allSatisfy { $0.hitRate == 0 && $0.first.count == text.count })
    }

    @Test(
        "this package's rule is as good as the best of the others where prompts share what came before",
        arguments: [1, 4])
    func best(clients: Int) async throws {
        let trace = try Self.conversations(300, seed: 1)
        // Without those that only count calls one by one, which are far behind and take long.
        let rules: [FleetRule] = [.predicted, .leastOutstanding, .llmd, .cacheAware, .dynamo]
        let study = try await RoutingStudy.run(trace, Self.small(clients: clients), rules, seeds: 1..<2)
        let ours = try #require(study.rows.first { $0.rule == .predicted })
        let others = study.rows.filter { $0.rule != .predicted }
        let p99 = try #require(RoutingStudy.quantile(0.99, of: ours.first))
        let least = try #require(others.compactMap { RoutingStudy.quantile(0.99, of: $0.first) }.min())
        #expect(p99 <= 1.05 * least, "seed 1\n\(study.table)")
        #expect(ours.hitRate >= (others.map(\.hitRate).max() ?? 1) - 0.02, "seed 1\n\(study.table)")
    }

    // Measured on these 5 seeds at both loads: the 99th percentile was at most 0.65 of the least of the others, the median at most
    // 0.5, and the share found in caches at least 0.04 higher. Not asserted is by how much it is better where prompts share less:
    // recorded traces take minutes (docs/simulation.md). Nor that sixteen clients do as well as one, which knows all calls; nor
    // which rule comes second, which changes with the seed.
    @Test(
        "sixteen clients with reports of every 2 s: better than each of the seven others, also beyond what the fleet serves",
        arguments: zip(1...5 as ClosedRange<UInt64>, [0.9, 1.1, 0.9, 1.1, 0.9]))
    func stale(seed: UInt64, load: Double) async throws {
        let trace = try Self.conversations(100, seed: seed)
        let settings = RoutingSettings(replicas: 4, load: load, clients: 16, staleness: 2)
        let study = try await RoutingStudy.run(trace, settings, FleetRule.allCases, seeds: seed..<seed + 1)
        let ours = try #require(study.rows.first { $0.rule == .predicted })
        let others = study.rows.filter { $0.rule != .predicted }
        #expect(others.count == 7)
        for (share, most) in [(0.5, 0.9), (0.99, 0.8)] {
            let first = try #require(RoutingStudy.quantile(share, of: ours.first))
            let least = try #require(others.compactMap { RoutingStudy.quantile(share, of: $0.first) }.min())
            #expect(first <= most * least, "seed \(seed)\n\(study.table)")
        }
        #expect(ours.hitRate >= others.map(\.hitRate).max() ?? 1, "seed \(seed)\n\(study.table)")
    }

    @Test(
        "bad options are refused by their name",
        arguments: [
            ("--replicas 0", "--replicas is 0, but must be from 1 to 256"),
            ("--replicas 257", "--replicas is 257"),
            ("--load 0.01", "--load is 0.01, but must be from 0.05 to 3"),
            ("--load nan", "--load is nan"),
            ("--clients 65", "--clients is 65, but must be from 1 to 64"),
            ("--staleness 0", "--staleness is 0.0, but must be from 0.001 to 60"),
            ("--policy best", "--policy is best, but must be all or of spillway, round_robin, random"),
            ("--policy predicted", "--policy is predicted"),
            ("--policy spillway,", "--policy is , but"),
        ])
    func badOptions(arguments: String, reason: String) {
        do {
            _ = try FleetSimulation.parseAsRoot(["routing"] + arguments.split(separator: " ").map(String.init))
            Issue.record("accepted")
        } catch {
            #expect(FleetSimulation.message(for: error).contains(reason))
        }
    }

    @Test("what the command takes")
    func options() throws {
        let parsed = try FleetSimulation.parseAsRoot(
            [
                "routing", "--replicas", "32", "--load", "1.1", "--clients", "4", "--staleness", "2", "--policy",
                "dynamo,spillway",
            ])
        let command = try #require(parsed as? RoutingCommand), settings = command.fleet.settings
        #expect(settings.replicas == 32 && settings.load == 1.1 && settings.clients == 4 && settings.staleness == 2)
        #expect(try command.fleet.rules() == [.dynamo, .predicted])
        #expect(try RoutingOptions.parse([]).rules() == FleetRule.allCases)
    }
}
