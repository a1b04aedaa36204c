#if HTTPClientSupport
import Spillway
import Testing

@testable import SpillwayHTTPClient

@Suite("Members that answers of a source lack", .timeLimit(.minutes(10)))
struct FleetAbsenceTests {
    /// A source whose answers are made by their number, from 1 on.
    private final class Source: MemberSource {
        private let number = Locked(0)
        private let answer: @Sendable (Int) -> [Member]

        init(_ answer: @escaping @Sendable (Int) -> [Member]) { self.answer = answer }

        var asked: Int { number.withLock { $0 } }

        func members() async -> [Member] {
            answer(
                number.withLock {
                    $0 += 1
                    return $0
                })
        }
    }

    private let a = Member("a", address: "a:1"), b = Member("b", address: "b:1")

    @Test("one is gone after so many answers in a row without it, and one answer with it begins anew")
    func inARow() async throws {
        let lists = [[a], [a], [a, b], [a], [], [a], [a], [a]]
        for (most, kept) in [
            (3, [true, true, true, true, false, true, false, false]), (1, [false, false, true, false]),
        ] {
            let fleet = try Fleet("fleet", members: [a, b], at: .zero)
            let absences = FleetWatch.Absences(of: fleet, in: Source { lists[$0 - 1] }, most: most)
            for (index, isKept) in kept.enumerated() {
                #expect(
                    try await absences.members() == (lists[index].isEmpty ? [] : isKept ? [a, b] : [a]), "\(index)")
            }
        }
    }

    @Test("one that has another address is another one at once")
    func moved() async throws {
        let fleet = try Fleet("fleet", members: [a, b], at: .zero), moved = Member("b", address: "c:1")
        let absences = FleetWatch.Absences(of: fleet, in: Source { [a, moved] _ in [a, moved] }, most: 3)
        #expect(try await absences.members() == [a, moved])
    }

    @Test(
        "a source that leaves one out now and then takes nobody out of the fleet; one that leaves it out for good does")
    func watched() async throws {
        let one = try await Engine.start("one"), two = try await Engine.start("two")
        let isGone = Locked(false), both = [one.member(), two.member()]
        let source = Source { number in
            number % 3 == 0 && !isGone.withLock({ $0 }) ? both : [both[0]]
        }
        try await Watching.run(both, source: source) { watching in
            let health = watching.fleet.health(of: "two")
            try await until { source.asked > 30 && watching.phase(of: "two") == .ready }
            #expect(watching.changes.taken == 0 && watching.fleet.health(of: "two") === health)
            isGone.withLock { $0 = true }
            try await until { watching.fleet.members.map(\.name) == ["one"] }
        }
        try await one.stop()
        try await two.stop()
    }
}
#endif
