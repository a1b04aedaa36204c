internal import CSpillway
internal import SpillwayCore

extension BreakerState {
    /// Makes the window that `configuration` asks for, empty.
    func shapeWindow(_ configuration: CircuitBreaker.Configuration, _ generation: UInt64) {
        let minimum = UInt32(configuration.minimumCalls)
        let share = UInt32(configuration.failureRatio * Double(UInt32.max))
        switch configuration.window.kind {
        case .calls(let size) where size <= Int(SPW_WINDOW_MOST):
            spw_breaker_shape_word(words, UInt32(SPW_WINDOW_LAST), UInt32(size), minimum, share)
        case .consecutive(let count):
            spw_breaker_shape_word(words, UInt32(SPW_WINDOW_CONSECUTIVE), UInt32(count), 1, share)
        case .calls(let size):
            spw_breaker_shape_ring(words, 0, UInt32(size), minimum, share)
        case .time(let span, let slices):
            let slice = max(1, span.clampedNanoseconds / Int64(slices))
            spw_breaker_shape_ring(words, slice, UInt32(slices), minimum, share)
        }
        spw_breaker_reset(words, generation)
    }

    /// Takes over the rule for calls under way, and counts them anew.
    func shapeInflight(_ configuration: CircuitBreaker.Configuration) {
        let stuck = configuration.stuck
        spw_inflight_shape(
            &words.pointee.inflight, stuck?.olderThan.clampedNanoseconds ?? 0, UInt32(stuck?.calls ?? 0),
            UInt32((stuck?.share ?? 0) * Double(UInt32.max)))
    }
}

extension BreakerMachine {
    /// What a reader without the lock reads.
    var word: UInt64 { generation << 2 | path }

    /// Where it stands, to be compared with where it stood: a copy of the whole would make its arrays be copied as well.
    typealias Step = (state: State, generation: UInt64)
    var step: Step { (state, generation) }

    /// What a member in this state takes of its group.
    var place: BreakerGroup.Place {
        if configuration.mode == .shadow { return .none }
        return switch state {
        case .open, .halfOpen: .open
        case .isolated: .isolated
        case .closed, .disabled: .none
        }
    }
}
