internal import SpillwayCore

/// What is compared when one of a tier's models is chosen, one row for each place of the ladder.
///
/// In a buffer of plain values, because to walk an array of models would count references to them.
struct Ratings: @unchecked Sendable {
    struct Row {
        let tier: Int
        /// Nil for a tier without a model.
        let state: Unmanaged<ModelState>?
        let quality: Double
        /// 0: nobody knows.
        let window: UInt32
        let weight: Double
        /// Nano-dollars for a million tokens; negative: ``costs`` has it.
        let input: Int64
        let output: Int64
    }

    private final class Rows {
        let rows: UnsafeMutableBufferPointer<Row>
        init(_ rows: [Row]) {
            self.rows = .allocate(capacity: rows.count)
            _ = self.rows.initialize(from: rows)
        }
        deinit { rows.deallocate() }
    }

    private let owner: Rows
    let rows: UnsafeMutableBufferPointer<Row>
    let costs: [Model.Cost]

    init(_ places: [ModelRouter.Place]) {
        costs = places.map { $0.model?.configuration.cost ?? .free }
        let rows = Rows(
            places.map { place in
                guard let model = place.model else {
                    return Row(tier: place.tier, state: nil, quality: 1, window: 0, weight: 1, input: 0, output: 0)
                }
                let own = model.configuration
                var (input, output): (Int64, Int64) = (0, 0)
                switch own.cost {
                case .free: break
                case .perMillion(let first, let second): (input, output) = (first, second)
                case .estimated: (input, output) = (-1, -1)
                }
                return Row(
                    tier: place.tier, state: .passUnretained(model.model), quality: own.quality,
                    window: UInt32(own.window ?? 0),
                    weight: own.weight, input: input, output: output)
            })
        owner = rows
        self.rows = rows.rows
    }

    /// What the call would cost at a place, in nano-dollars; nobody knowing is as dear as can be.
    func cost(_ place: Int, _ call: borrowing Call, at now: Instant) -> Int64 {
        let row = rows[place]
        guard row.input >= 0 else { return costs[place].nanoDollars(copy call, at: now) ?? .max }
        return Model.Cost.nanoDollars(input: row.input, output: row.output, call.tokens)
    }

    /// Nanoseconds; 0: not known.
    func latency(_ place: Int, at now: Instant) -> Int64 {
        rows[place].state?._withUnsafeGuaranteedRef { $0.latency(at: now) } ?? 0
    }

    func inFlight(_ place: Int) -> Int { rows[place].state?._withUnsafeGuaranteedRef(\.inFlight) ?? 0 }

    /// What the attempt there that failed last failed with.
    func lastFault(_ place: Int) -> Outcome.Cause {
        rows[place].state?._withUnsafeGuaranteedRef(\.lastFault) ?? .none
    }

    /// Whether it asked to be left alone.
    func pauses(_ place: Int, at now: Instant) -> Bool {
        rows[place].state?._withUnsafeGuaranteedRef { $0.pausedUntil > now.nanoseconds } ?? false
    }

    func cools(_ place: Int, at now: Instant) -> Bool {
        rows[place].state?._withUnsafeGuaranteedRef { $0.cooledUntil > now.nanoseconds } ?? false
    }
}
