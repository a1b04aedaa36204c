import ArgumentParser
import Testing

@testable import FleetSimulation

@Suite("Options")
struct OptionTests {
    private func complaint(_ arguments: String) -> String? {
        do {
            _ = try FleetSimulation.parseAsRoot(arguments.split(separator: " ").map(String.init))
            return nil
        } catch {
            return FleetSimulation.message(for: error)
        }
    }

    @Test(
        "bad options are refused by their name",
        arguments: [
            ("retry-storm --seeds 0", "--seeds is 0, but must be from 1 to 1000000"),
            ("retry-storm --format xml", "Please provide one of 'table', 'tsv' or 'svg'"),
            ("retry-storm --seed x", "The value 'x' is invalid for '--seed <seed>'"),
            ("redundancy --seed 9223372036854775808", "--seed is 9223372036854775808"),
            ("redundancy --needed 0", "--needed is 0, but must be from 1 to 1000"),
            ("redundancy --spares 101", "--spares is 101, but must be from 0 to 100"),
            ("redundancy --failure 0", "--failure is 0.0, but must be from 0.000001 to 1"),
            ("redundancy --recovery nan", "--recovery is nan"),
            ("redundancy --target 100", "--target is 100.0, but must be above 0 and below 100"),
            ("redundancy --zones 2 0", "--zones is 0, but must be from 1 to 100"),
            ("redundancy --zone-failure 1.5", "--zone-failure is 1.5"),
            ("hedging --calls 999", "--calls is 999, but must be from 1000 to 10000000"),
            ("earthquake", "Unexpected argument 'earthquake'"),
        ])
    func refused(arguments: String, reason: String) throws {
        let text = try #require(complaint(arguments))
        #expect(text.contains(reason), "\(text)")
    }

    @Test(
        "what a scenario takes",
        arguments: [
            "redundancy", "retry-storm --seed 3 --seeds 7 --format tsv", "redundancy --zones 1 2 --format svg",
            "hedging --calls 8000",
        ])
    func accepted(arguments: String) {
        #expect(complaint(arguments) == nil)
    }

    @Test("the seeds count up from the first")
    func seeds() throws {
        #expect(try ScenarioOptions.parse(["--seed", "5", "--seeds", "3"]).range(standard: 30) == 5..<8)
        #expect(try ScenarioOptions.parse([]).range(standard: 30) == 1..<31)
    }
}
