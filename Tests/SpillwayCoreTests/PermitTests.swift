import SpillwayCore
import Testing

@Suite struct PermitTests {
    private struct Settlement: Sendable, Equatable {
        let outcome: Outcome?
        let at: Instant
    }

    /// What a gate of the user's own is told when `use` is done with its permit.
    private func settlements(_ use: (consuming Permit) -> Void) -> [Settlement] {
        let seen = Shared<[Settlement]>([])
        use(Permit(at: at(10)) { outcome, now in seen.change { $0.append(Settlement(outcome: outcome, at: now)) } })
        return seen.value
    }

    @Test func isSettledExactlyOnceHoweverItEnds() {
        #expect(
            settlements { $0.settle(.failure(.timeout), at: at(12)) } == [
                .init(outcome: .failure(.timeout), at: at(12))
            ])
        #expect(
            settlements { $0.settle(.neutral(.rateLimited), after: .seconds(1)) } == [
                .init(outcome: .neutral(.rateLimited), at: at(11))
            ])
        #expect(settlements { $0.succeed(after: .seconds(3)) } == [.init(outcome: .success, at: at(13))])
        #expect(settlements { $0.fail(.connect, after: .zero) } == [.init(outcome: .failure(.connect), at: at(10))])
        #expect(settlements { $0.void(at: at(11)) } == [.init(outcome: nil, at: at(11))])
    }

    @Test func isNeutralWhenDropped() {
        #expect(settlements { _ = consume $0 } == [.init(outcome: .neutral(.cancelled), at: at(10))])
    }

    @Test func isSettledWhenAnErrorIsThrownPastIt() {
        struct Failure: Error {}
        let seen = settlements { permit in
            func work(_ permit: consuming Permit) throws { if at(1) < at(2) { throw Failure() } }
            try? work(permit)
        }
        #expect(seen == [.init(outcome: .neutral(.cancelled), at: at(10))])
    }

    @Test func letsItsClosureGoOnceItIsSettled() {
        final class Resource: Sendable {}
        var resource: Resource? = Resource()
        weak let left = resource
        let permit = Permit(at: at(0)) { [resource] _, _ in _ = resource }
        resource = nil
        #expect(left != nil)
        permit.settle(.success, at: at(0))
        #expect(left == nil)
    }

    @Test func aFreePermitCanBeSettledInAnyWay() {
        Permit.free(at: at(1)).settle(.success, at: at(2))
        Permit.free(at: at(1)).void(at: at(2))
        _ = Permit.free(at: at(1))
    }

    @Test func aRejectionIsSmallAndSaysWhoWhyAndWhen() {
        #expect(MemoryLayout<Rejection>.size <= 24)
        let name = GateName(registering: "quota")
        defer { name.release() }
        let plain = Rejection(by: name, reason: .rateLimited)
        #expect(plain.retryAfter == nil)
        #expect("\(plain)" == "quota refused: rate_limited")
        let later = Rejection(by: name, reason: .other, retryAfter: .seconds(2))
        #expect(later.retryAfter == .seconds(2))
        #expect("\(later)".contains("retry after 2"))
        #expect(Rejection(by: name, reason: .other, retryAfter: .seconds(-2)).retryAfter == .zero)
        #expect(
            Rejection(by: name, reason: .other, retryAfter: .seconds(Int64.max)).retryAfter == .nanoseconds(Int64.max))
    }

    @Test func namesArePlacesThatAreUsedAgain() {
        let first = GateName(registering: "first")
        #expect("\(first)" == "first")
        first.release()
        #expect("\(first)" == "(gone)")
        let others = (0..<100).map { GateName(registering: "other \($0)") }
        first.release()  // a second release must not take another gate's name away
        #expect(others.map(\.description) == (0..<100).map { "other \($0)" })
        #expect("\(first)" == "(gone)")
        #expect(Set(others).count == 100)
        for name in others { name.release() }
    }

    @Test func namesAreGivenAndReleasedByManyTasks() async {
        let wrong = Shared(0)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for step in 0..<2_000 {
                        let name = GateName(registering: "\(task)-\(step)")
                        if name.description != "\(task)-\(step)" { wrong.change { $0 += 1 } }
                        name.release()
                        if name.description != "(gone)" { wrong.change { $0 += 1 } }
                    }
                }
            }
        }
        #expect(wrong.value == 0)
    }
}
