import Admission
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct ReservationTests {
    private let time = ManualTime(at(1))

    @Test func readyTimesComeInTheOrderOfTheReservations() throws {
        let bucket = try makeBucket(.perSecond(10), burst: 2)
        var ready: [Instant] = []
        for _ in 0..<6 {
            let reservation = try bucket.reserve(within: .seconds(1), at: at(1))
            ready.append(reservation.readyAt)
            reservation.use().settle(.success, at: at(1))
        }
        #expect(ready == [at(1), at(1), at(1.1), at(1.2), at(1.3), at(1.4)])
    }

    @Test func whatWillNotBeThereInTimeIsRefusedAtOnceAndNothingIsTaken() throws {
        let bucket = try makeBucket(.perSecond(1), burst: 1)
        #expect(bucket.take(at: at(1)))
        for _ in 0..<100 {
            let refusal = #expect(throws: Rejection.self) {
                _ = try bucket.reserve(within: .milliseconds(999), at: at(1)).readyAt
            }
            #expect(refusal?.retryAfter == .seconds(1))
        }
        #expect(throws: Rejection.self) { _ = try bucket.reserve(within: .seconds(-1), at: at(1)).readyAt }
        let never = #expect(throws: Rejection.self) {
            _ = try bucket.reserve(cost: 2, within: .seconds(1_000), at: at(1)).readyAt
        }
        #expect(never?.reason == .exceedsBurst)
        let reservation = try bucket.reserve(within: .seconds(1), at: at(1))
        #expect(reservation.readyAt == at(2))
    }

    @Test func aCancelledReservationGivesItsUnitsBack() throws {
        let bucket = try makeBucket(.perSecond(1), burst: 1)
        #expect(bucket.take(at: at(1)))
        let first = try bucket.reserve(within: .seconds(9), at: at(1))
        let second = try bucket.reserve(within: .seconds(9), at: at(1))
        #expect(second.readyAt == at(3))
        second.cancel(at: at(1.5))
        first.cancel(at: at(1.5))
        #expect(bucket.refusal(at: at(1.5))?.retryAfter == .milliseconds(500))
        #expect(bucket.take(at: at(2)))
    }

    @Test func waitersAreServedFirstComeFirstServed() async throws {
        let bucket = try makeBucket(.perSecond(10), burst: 1)
        #expect(bucket.take(at: at(1)))
        var waiters: [Task<Instant, any Error>] = []
        for number in 1...4 {
            waiters.append(
                Task { [time] in
                    try await bucket.acquire(until: at(9), time: time).settle(.success, at: time.now)
                    return time.now
                })
            await time.waitForSleepers(number)
        }
        for (number, waiter) in waiters.enumerated() {
            #expect(time.nextWake == at(1.1 + Double(number) / 10))
            time.advance(by: .milliseconds(100))
            #expect(try await waiter.value == at(1.1 + Double(number) / 10))
            #expect(time.sleepers == 3 - number)
        }
    }

    @Test func aDeadlineThatIsTooSoonRefusesWithoutWaiting() async throws {
        let bucket = try makeBucket(.perSecond(1), burst: 1)
        try await bucket.acquire(until: at(1), time: time).settle(.success, at: at(1))
        await #expect(throws: Rejection.self) {
            try await bucket.acquire(until: at(1.5), time: time).settle(.success, at: at(1))
        }
        await #expect(throws: Rejection.self) {
            try await bucket.acquire(until: at(0), time: time).settle(.success, at: at(1))
        }
        #expect(time.sleepers == 0)
        #expect(bucket.refusal(at: at(1))?.retryAfter == .seconds(1))
    }

    @Test func aWaiterThatIsCancelledLeavesNothingTaken() async throws {
        let bucket = try makeBucket(.perSecond(1), burst: 1)
        #expect(bucket.take(at: at(1)))
        for _ in 0..<20 {
            let waiter = Task { [time] in
                try await bucket.acquire(until: at(9), time: time).settle(.success, at: at(1))
            }
            await time.waitForSleepers()
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
        }
        #expect(bucket.refusal(at: at(1))?.retryAfter == .seconds(1))
    }

    @Test func callersThatWereCancelledBeforehandStillGiveBack() async throws {
        let bucket = try makeBucket(.perSecond(1), burst: 1)
        #expect(bucket.take(at: at(1)))
        let waiter = Task { [time] in
            withUnsafeCurrentTask { $0?.cancel() }
            try await bucket.acquire(until: at(9), time: time).settle(.success, at: at(1))
        }
        await #expect(throws: CancellationError.self) { try await waiter.value }
        #expect(bucket.refusal(at: at(1))?.retryAfter == .seconds(1))
    }
}
