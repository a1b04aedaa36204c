import SpillwayCore
import Testing

@Suite struct TimerWheelTests {
    /// A sorted list that does the same, slowly.
    private struct Model {
        var timers: [Int: UInt64] = [:]
        var present: UInt64 = 0

        mutating func advance(to tick: UInt64) -> [Int: UInt64] {
            present = max(present, tick)
            let due = timers.filter { $0.value <= present }
            for number in due.keys { timers[number] = nil }
            return due
        }
    }

    private func distance(_ random: inout RandomSource) -> UInt64 {
        switch random.next(through: 5) {
        case 0: 0
        case 1: random.next(through: 3)
        case 2: random.next(through: 200)
        case 3: random.next(through: 10_000)
        case 4: random.next(through: 1 << 26)
        default: random.next(through: 1 << 42)
        }
    }

    @Test func agreesWithASortedListUnderRandomUse() {
        forSeeds(300) { seed, random in
            var wheel = TimerWheel<Int>(), model = Model()
            var ids: [TimerWheel<Int>.ID] = []
            for step in 0..<200 {
                switch random.next(through: 9) {
                case 0...4:
                    let far = distance(&random)
                    // Now and then in the past, and often at the tick of another timer.
                    let past = random.next(through: 7) == 0
                    let other = model.timers.values.randomElement(using: &random)
                    let tick = past ? model.present / 2 : step % 3 == 0 ? other ?? far : model.present + far
                    ids.append(wheel.insert(at: tick, ids.count))
                    model.timers[ids.count - 1] = max(tick, model.present + 1)
                case 5, 6:
                    guard let number = ids.indices.randomElement(using: &random) else { continue }
                    let expected = model.timers.removeValue(forKey: number) == nil ? nil : number
                    #expect(wheel.cancel(ids[number]) == expected, "seed \(seed), step \(step)")
                default:
                    let tick = random.next(through: 9) == 0 ? model.present / 2 : model.present + distance(&random)
                    let due = model.advance(to: tick)
                    let fired = wheel.advance(to: tick)
                    #expect(Set(fired) == Set(due.keys) && fired.count == due.count, "seed \(seed), step \(step)")
                    #expect(fired.compactMap { due[$0] } == due.values.sorted(), "seed \(seed), step \(step): order")
                }
                #expect(wheel.count == model.timers.count, "seed \(seed), step \(step)")
                let next = wheel.nextTick, first = model.timers.values.min()
                #expect((next == nil) == (first == nil), "seed \(seed), step \(step)")
                if let next, let first { #expect(next <= first, "seed \(seed), step \(step)") }
            }
            #expect(Set(wheel.advance(to: 1 << 50)) == Set(model.timers.keys), "seed \(seed)")
            #expect(wheel.count == 0 && wheel.nextTick == nil, "seed \(seed)")
        }
    }

    @Test func ticksThatArePastFireAtTheNextOne() {
        var wheel = TimerWheel<String>()
        _ = wheel.advance(to: 1_000)
        _ = wheel.insert(at: 10, "past")
        _ = wheel.insert(at: 1_000, "present")
        #expect(wheel.advance(to: 1_000) == [])
        #expect(Set(wheel.advance(to: 1_001)) == ["past", "present"])
    }

    @Test func theFarthestTickWaitsAndCanBeCancelled() {
        var wheel = TimerWheel<Int>()
        let far = wheel.insert(at: .max, 1)
        let near = wheel.insert(at: 5, 2)
        #expect(wheel.advance(to: 1 << 40) == [2])
        #expect(wheel.cancel(near) == nil)
        #expect(wheel.cancel(far) == 1)
        #expect(wheel.cancel(far) == nil)
        #expect(wheel.nextTick == nil)
    }

    @Test func aPlaceThatIsUsedAgainIsNotCancelledByAnOldName() {
        var wheel = TimerWheel<Int>()
        let first = wheel.insert(at: 1, 1)
        #expect(wheel.advance(to: 1) == [1])
        let second = wheel.insert(at: 9, 2)
        #expect(wheel.cancel(first) == nil)
        #expect(wheel.count == 1)
        #expect(wheel.cancel(second) == 2)
    }
}
