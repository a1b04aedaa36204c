import Spillway
import Testing

@testable import FleetSimulation

@Suite("Redundancy")
struct RedundancyTests {
    @Test("the textbook's table is repeated to the last digit", arguments: 0...4)
    func published(spares: Int) throws {
        let run = RedundancyRun(RedundancySettings(), spares: spares, seed: 0)
        let (availability, attainment) = RedundancyStudy.textbook[spares]
        #expect(Cells.number(run.availability, 3) == Cells.number(availability, 3))
        #expect(Cells.number(run.attainment, 3) == Cells.number(attainment, 3))
    }

    @Test("30 other seeds hold the textbook's row and what is computed, for each k", arguments: 0...4)
    func interval(spares: Int) async throws {
        // Requests change which numbers are drawn, but not how replicas fail.
        var settings = RedundancySettings()
        settings.requests = 0
        let runs = try await Seeds.map(1..<31, "") { [settings] seed in
            RedundancyRun(settings, spares: spares, seed: seed).attainment
        }
        let spread = Spread(runs)
        let single = try #require(spread.ofSingleRun)
        #expect(single.contains(RedundancyStudy.textbook[spares].attainment))
        let computed = 100 * (try settings.plan().attainment(spares: spares))
        // Four standard errors, and what few rare events leave open.
        let error = try #require(spread.deviation) / Double(runs.count).squareRoot()
        #expect(abs(spread.mean - computed) < 4 * error + 0.01)
    }

    @Test("zones that fail agree with the planner's mixture", arguments: [1, 3])
    func zones(zones: Int) async throws {
        let settings = RedundancySettings(
            needed: 4, ticks: 10_000, failure: 0.02, recovery: 0.2, lag: 1, requests: 0, zones: zones,
            zoneFailure: 0.01, zoneRecovery: 0.2)
        let runs = try await Seeds.map(1..<21, "") { RedundancyRun(settings, spares: 2, seed: $0).attainment }
        let spread = Spread(runs)
        let computed = 100 * (try settings.plan().attainment(spares: 2))
        let error = try #require(spread.deviation) / Double(runs.count).squareRoot()
        #expect(abs(spread.mean - computed) < 4 * error)
    }

    @Test("a replica is down from its failure until it is found and has recovered")
    func down() throws {
        #expect(try RedundancySettings().replicaAvailability() == 500.0 / 523)
        // Fails at once, is found at once and is back in the next tick: up every second tick.
        let settings = RedundancySettings(needed: 1, ticks: 10, failure: 1, recovery: 1, lag: 0, requests: 1)
        #expect(RedundancyRun(settings, spares: 0, seed: 1) == RedundancyRun(settings, spares: 0, seed: 2))
        #expect(RedundancyRun(settings, spares: 0, seed: 1).attainment == 50)
        #expect(RedundancyRun(settings, spares: 0, seed: 1).availability == 50)
    }

    @Test("the smallest k for 99.9 % with fragile replicas, and the cost of a nine")
    func exercises() throws {
        var fragile = RedundancySettings()
        fragile.failure = 0.01
        #expect(try fragile.plan().spares(for: 0.999) == 8)
        let exercise = RedundancyStudy.exercise
        let price = try ReplicaPrice(nanoDollarsPerHour: exercise.nanoDollarsPerHour)
        let nines = try Redundancy(needed: exercise.needed, availability: exercise.availability)
            .nines(through: 4, price: price)
        #expect(nines.map(\.spares) == [0, 1, 2, 3])
        #expect(nines.map { RedundancyStudy.dollars($0.monthlyNanoDollars) } == ["0", "1460", "2920", "4380"])
    }
}
