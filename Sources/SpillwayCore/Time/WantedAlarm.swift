/// Which alarm somebody wants to have; decided under the owner's lock, done outside of it.
///
/// Alarms are set and taken back by foreign code where the time is not the machine's. So an alarm may ring before it is noted
/// down, or be outdone by an earlier one while it is being set: it counts only as long as it is the one wanted last.
package struct WantedAlarm {
    /// What rings.
    package enum Clock {
        /// The machine's timer, which needs no task.
        case timer(SharedTimer.Handle)
        /// A task that sleeps on another clock.
        case sleeper(Task<Void, Never>)

        /// An alarm on a clock that is not the machine's: a task that sleeps until `order` is due and then calls `ring`.
        package static func sleeper(
            _ order: Order, _ time: any TimeSource, on executor: (any TaskExecutor)?,
            ring: @escaping @Sendable (_ number: UInt64) -> Void
        ) -> Clock {
            .sleeper(
                ChildTask.start(on: executor) {
                    if (try? await time.sleep(until: order.due)) != nil { ring(order.number) }
                })
        }

        package func cancel() {
            switch self {
            case .timer(let handle): SharedTimer.process.cancel(handle)
            case .sleeper(let task): task.cancel()
            }
        }
    }

    /// When the alarm is to ring; nil: there is none.
    package private(set) var due: Instant?
    /// Which alarm that is, counted over all that were ever wanted.
    package private(set) var number: UInt64 = 0
    private var clock: Clock?

    package init() {}

    /// An alarm to be set, and one to be taken back.
    package struct Order {
        package let due: Instant
        package let number: UInt64
        package let old: Clock?
    }

    /// What to do so that an alarm rings by `due`; nil: nothing.
    ///
    /// What is due later than the alarm is found out when that rings.
    package mutating func want(_ due: Instant?) -> Order? {
        guard let due, self.due.map({ due < $0 }) ?? true else { return nil }
        let old = drop()
        self.due = due
        return Order(due: due, number: number, old: old)
    }

    /// Notes down an alarm that was set; false when it is not wanted any more.
    package mutating func note(_ clock: Clock, for order: Order) -> Bool {
        guard due != nil, number == order.number else { return false }
        self.clock = clock
        return true
    }

    /// No alarm is wanted; returns one that is to be taken back.
    package mutating func drop() -> Clock? {
        due = nil
        number += 1
        return clock.take()
    }
}
