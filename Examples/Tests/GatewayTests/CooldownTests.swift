import Spillway
import Testing

@testable import Gateway

struct CooldownTests {
    private let gate = Cooldown("c", .init(first: .seconds(1), most: .seconds(3)))
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func call(at seconds: Int64, _ outcome: Outcome) throws(Rejection) {
        let permit = try gate.admit(Call(), at: at(seconds))
        permit.settle(outcome, at: at(seconds))
    }

    private func wait(at seconds: Int64) -> Duration? {
        do throws(Rejection) {
            let permit = try gate.admit(Call(), at: at(seconds))
            permit.void(at: at(seconds))
            return nil
        } catch {
            #expect(error.reason == .rateLimited)
            #expect("\(error.gate)" == "c")
            return error.retryAfter
        }
    }

    @Test func `pauses double up to the most, and a success starts them anew`() throws {
        try call(at: 0, .neutral(.rateLimited))
        #expect(wait(at: 0) == .seconds(1))
        try call(at: 1, .neutral(.rateLimited))
        #expect(wait(at: 1) == .seconds(2))
        try call(at: 3, .neutral(.rateLimited))
        #expect(wait(at: 3) == .seconds(3))
        try call(at: 6, .neutral(.rateLimited))
        #expect(wait(at: 6) == .seconds(3))
        try call(at: 9, .success)
        try call(at: 9, .neutral(.rateLimited))
        #expect(wait(at: 9) == .seconds(1))
    }

    @Test func `the time that the upstream names is kept`() throws {
        try call(at: 0, .neutral(.rateLimited, retryAfter: .seconds(20)))
        #expect(wait(at: 5) == .seconds(15))
        #expect(wait(at: 20) == nil)
    }

    @Test func `calls that were under way lengthen nothing, and other failures are not its business`() throws {
        let late = try gate.admit(Call(), at: at(0))
        try call(at: 0, .failure(.serverError))
        #expect(wait(at: 0) == nil)
        try call(at: 0, .neutral(.rateLimited))
        late.settle(.neutral(.rateLimited), at: at(1))
        #expect(wait(at: 1) == nil)
    }
}
