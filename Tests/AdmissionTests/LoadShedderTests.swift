import Admission
import SpillwayCore
import SpillwayTesting
import Testing

/// What is refused at which load.
@Suite struct LoadShedderTests {
    /// A load that a test sets.
    private final class Load: Sendable {
        private let value = Locked(0.0)
        var now: Double {
            get { value.withLock { $0 } }
            set { value.withLock { $0 = newValue } }
        }
    }

    private func passes(_ shedder: LoadShedder, _ call: Call, at now: Instant = at(1)) -> Bool {
        do throws(Rejection) {
            try shedder.admit(call, at: now).settle(.success, at: now)
            return true
        } catch {
            #expect(error.reason == .loadShed && error.gate.description == "shedder")
            return false
        }
    }

    private func share(_ shedder: LoadShedder, _ criticality: Criticality, at now: Instant = at(1)) -> Double {
        let calls = (0..<2_000).map { Call(key: "tenant \($0)", criticality: criticality) }
        return Double(calls.filter { passes(shedder, $0, at: now) }.count) / 2_000
    }

    @Test func whatMattersLeastGoesFirst() throws {
        let load = Load(), shedder = try LoadShedder("shedder", random: .seeded(1)) { _ in load.now }
        let expected: [(Double, [Double])] = [
            (0.5, [1, 1, 1, 1]), (0.7, [1, 1, 1, 1]), (0.775, [0.5, 1, 1, 1]), (0.85, [0, 2 / 3, 1, 1]),
            (0.95, [0, 0, 1, 1]), (1.075, [0, 0, 0.5, 1]), (1.2, [0, 0, 0, 1]), (1_000, [0, 0, 0, 1]),
        ]
        for (value, shares) in expected {
            load.now = value
            for (criticality, share) in zip(Criticality.allCases, shares) {
                #expect(abs(self.share(shedder, criticality) - share) < 0.04, "\(criticality) at \(value)")
            }
        }
    }

    @Test func aKeyIsRefusedAsAWholeForAnHour() throws {
        let shedder = try LoadShedder("shedder", random: .seeded(2)) { _ in 0.775 }
        var changed = 0
        for number in 0..<200 {
            let call = Call(key: "tenant \(number)", criticality: .sheddable)
            let first = passes(shedder, call, at: at(0))
            for second in stride(from: 0.0, to: 3_600, by: 300) {
                #expect(passes(shedder, call, at: at(second)) == first)
            }
            if passes(shedder, call, at: at(3_601)) != first { changed += 1 }
        }
        #expect((60...140).contains(changed), "then it is others' turn")
    }

    @Test func callsWithoutAKeyAreRefusedAtRandom() throws {
        let shedder = try LoadShedder("shedder", random: .seeded(3)) { _ in 0.775 }
        let passed = (0..<2_000).filter { _ in passes(shedder, Call(criticality: .sheddable)) }.count
        #expect((900...1_100).contains(passed))
    }

    @Test func theTaskSaysHowMuchItMatters() async throws {
        let shedder = try LoadShedder("shedder") { _ in 0.9 }
        #expect(passes(shedder, Call()))
        await Criticality.sheddable.bound {
            #expect(!passes(shedder, Call()))
            #expect(passes(shedder, Call(criticality: .critical)))
            let headers = CallContext.current?.headers(at: at(1)) ?? []
            #expect(headers.map(\.value) == ["sheddable"])
            let further = CallContext(
                headers: Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) }), at: at(1))
            #expect(further.criticality == .sheddable)
        }
        #expect(CallContext(headers: ["X-Spillway-Criticality": "urgent"], at: at(1)).criticality == nil)
    }

    @Test func aLoadThatIsNoNumberCountsAsNone() throws {
        let shedder = try LoadShedder("shedder") { _ in .nan }
        #expect(passes(shedder, Call(criticality: .sheddable)))
    }

    @Test func inShadowItOnlyReports() throws {
        let observer = RecordingObserver()
        let shedder = try LoadShedder("shedder", .init { $0.shadow = true }, observer: observer) { _ in 2 }
        #expect(passes(shedder, Call()))
        #expect(observer.shadowed.map(\.reason) == [.loadShed])
        try shedder.update(.init())
        #expect(!passes(shedder, Call()))
    }

    @Test func badSettingsAreRefusedAndTheOldStay() throws {
        let shedder = try LoadShedder("shedder") { _ in 0.9 }
        let changes: [@Sendable (inout LoadShedder.Configuration) -> Void] = [
            { $0.sheddable = .init(0.9, 0.8) }, { $0.sheddable = .init(-1, 1) }, { $0.sheddable = .init(.nan, 1) },
            { $0.critical = .init(0.1, 0.2) }, { $0.sheddable = .init(0.7, 5) }, { $0.rotation = .zero },
        ]
        for change in changes {
            #expect(throws: ConfigurationError.self) { try shedder.update(.init(change)) }
            #expect(throws: ConfigurationError.self) { _ = try LoadShedder("x", .init(change)) { _ in 0 } }
        }
        #expect(shedder.configuration == .init())
        #expect(throws: ConfigurationError.self) { _ = try LoadShedder("") { _ in 0 } }
    }
}
