import SpillwayCore
import Testing

@testable import Admission

/// Turns and alarms, step by step.
@Suite struct QueueStateTests {
    /// A queue in which one call waits, has tried and was refused, and would try again after a second.
    private func refusedOnce(longest: Duration = .seconds(60)) -> (state: QueueState, id: Int) {
        var state = QueueState(.init(longest: longest))
        let id = state.join(Call(), .critical, until: at(1).advanced(by: longest), at: at(1))!
        state.welcome(id, hasMissed: false, until: nil, at: at(1))
        state.stay(id, hasMissed: false, until: at(2), at: at(1))
        state.effects = .init()
        return (state, id)
    }

    @Test func theAlarmOfATryRingsOnce() {
        var (state, _) = refusedOnce()
        #expect(state.alarm.due == at(2))
        state.ring(nil, at: at(2))
        // Whoever tries says when to look again.
        #expect(state.alarm.due == nil)
    }

    @Test func noAlarmIsSetForAnEmptyLine() {
        // The call has waited for too long when it was to try again: nobody is left to ring for. An alarm in the past would
        // ring at once, for ever.
        var (state, id) = refusedOnce(longest: .milliseconds(900))
        state.ring(nil, at: at(2))
        #expect(state.line.count == 0 && state.alarm.due == nil)
        state.leave(id, letThrough: false, at: at(2))
        state.ring(nil, at: at(3))
        #expect(state.alarm.due == nil)
    }

    @Test func anAlarmThatIsNotWantedAnyMoreDoesNothing() {
        var (state, id) = refusedOnce()
        let number = state.alarm.number
        state.handTurn(at: at(1.5))
        state.stay(id, hasMissed: false, until: at(1.8), at: at(1.5))
        state.ring(number, at: at(2))
        #expect(state.alarm.due == at(1.8))
    }
}
