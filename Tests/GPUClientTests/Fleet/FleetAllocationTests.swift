import CAllocations
import GPUClient
import SpillwayCore
import Testing

/// A choice, its first token and its end. (With a prompt that is known only builds for release allocate nothing: `make bench` counts.)
@Suite struct FleetAllocationTests {
    @Test(.enabled(if: allocations_are_counted()))
    func aChoiceAllocatesNothing() throws {
        let members = (0..<40).map { Member("gpu-\($0)", address: "10.0.0.\($0):8000", zone: "z\($0 % 3)") }
        let now = FleetTests.start
        let fleet = try Fleet("llama", .init { $0.zone = "z1" }, members: members, at: now, random: .seeded(1))
        let call = Call(tokens: .estimate(input: 8_192, maxOutput: 100))
        func ask() {
            guard let place = try? fleet.place(call, at: now) else { return }
            place.firstToken(at: now.advanced(by: .milliseconds(50)))
            place.settle(.success, at: now.advanced(by: .milliseconds(90)))
        }
        for _ in 0..<2_000 { ask() }
        let before = allocations_of_thread()
        for _ in 0..<100 { ask() }
        #expect(allocations_of_thread() - before == 0)
    }
}
