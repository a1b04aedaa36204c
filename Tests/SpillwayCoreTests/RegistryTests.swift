import SpillwayCore
import Testing

@Suite struct RegistryTests {
    private final class Thing: Sendable {}
    private struct Refusal: Error {}

    @Test func makesOnceListsAndRemoves() throws {
        let registry = try Registry<Int>()
        #expect(registry.value(named: "b") { _ in 2 } == 2)
        #expect(registry.value(named: "b") { _ in 3 } == 2)
        #expect(registry.value(named: "a") { $0.utf8.count } == 1)
        #expect(registry.all.map(\.name) == ["a", "b"])
        #expect(registry.remove("a") == 1)
        #expect(registry.remove("a") == nil)
        #expect(registry["a"] == nil)
        #expect(registry.all.map(\.value) == [2])
    }

    @Test func whatCannotBeMadeIsNotKept() throws {
        let registry = try Registry<Int>()
        #expect(throws: Refusal.self) { try registry.value(named: "a") { _ in throw Refusal() } }
        #expect(registry.all.isEmpty)
    }

    @Test func dropsTheEighthThatWasUsedLongestAgo() throws {
        let registry = try Registry<Int>(capacity: 16)
        for number in 0..<16 { _ = registry.value(named: "\(number)") { _ in number } }
        _ = registry["0"]
        _ = registry.value(named: "new") { _ in 99 }
        #expect(registry.all.count == 15)
        #expect(registry["0"] == 0)
        #expect(registry["1"] == nil && registry["2"] == nil)
        #expect(registry["3"] == 3)
    }

    @Test func neverHoldsMoreThanItsCapacity() throws {
        for capacity in [1, 2, 7, 8, 100] {
            let registry = try Registry<Int>(capacity: capacity)
            for number in 0..<1_000 {
                #expect(registry.value(named: "\(number)") { _ in number } == number)
                #expect(registry.all.count <= capacity)
            }
            #expect(registry["999"] == 999)
        }
    }

    @Test func callersThatMakeTheSameNameAtOnceGetTheSameValue() async throws {
        for round in 0..<50 {
            let registry = try Registry<Thing>()
            let seen = await withTaskGroup(of: ObjectIdentifier.self) { group in
                for _ in 0..<8 {
                    group.addTask { ObjectIdentifier(registry.value(named: "one") { _ in Thing() }) }
                }
                return await group.reduce(into: Set<ObjectIdentifier>()) { $0.insert($1) }
            }
            #expect(seen.count == 1, "round \(round)")
        }
    }

    @Test func refusesACapacityBelowOne() {
        let error = #expect(throws: ConfigurationError.self) { _ = try Registry<Int>(capacity: 0) }
        #expect(error?.field == "capacity")
        #expect(error?.policy == "Registry")
    }
}
