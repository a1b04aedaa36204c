internal import CSpillway
internal import SpillwayCore

/// All limits of one quota and the calls under way, to be touched under its lock: plain words in memory that stays.
struct QuotaBooks: ~Copyable {
    /// What is remembered of a call under way.
    struct Record {
        /// Which call of this place it is; a token with another says nothing.
        var generation: UInt32 = 0
        var isOpen = false
        /// The next free place; −1: none.
        var next: Int32 = -1
        /// Calls are numbered in the order in which they were let in.
        var number: UInt64 = 0
        var input: UInt32 = 0
        var output: UInt32 = 0
    }

    /// What comes of asking.
    enum Answer {
        case held(token: UInt64)
        /// Which limit refused; nil: the quota itself.
        case refused(Reason, by: Quota.Dimension?, wait: Int64)
    }

    static let meterCount = 6
    /// One for each dimension but the calls under way.
    let meters = UnsafeMutablePointer<spw_meter>.allocate(capacity: meterCount)
    /// A bit for each meter in use.
    private(set) var active: UInt8 = 0
    private var records = UnsafeMutablePointer<Record>.allocate(capacity: 64)
    private var capacity = 64
    private var free: Int32 = -1
    private var number: UInt64 = 0
    private(set) var open = 0
    var concurrency = Int.max
    /// Nanoseconds; what the provider asked for.
    var pausedUntil = Int64.min
    var exhaustedUntil = Int64.min
    var isRetired = false
    var history = QuotaHistory()

    init() {
        meters.initialize(repeating: spw_meter(), count: Self.meterCount)
        records.initialize(repeating: Record(), count: capacity)
        link(0)
    }

    deinit {
        meters.deallocate()
        records.deallocate()
    }

    func isActive(_ dimension: Quota.Dimension) -> Bool { active & (1 << dimension.rawValue) != 0 }

    /// Begins a limit of which nothing is used; calls that are under way do not count in it.
    ///
    /// Calls of more than `largest` never pass it, nor do those of more than the burst that it will have then.
    mutating func activate(
        _ dimension: Quota.Dimension, _ interval: Int64, _ burst: Int64, largest: Int64, at now: Int64
    ) {
        active |= 1 << dimension.rawValue
        spw_meter_init(meters + dimension.rawValue, interval, burst, now, number + 1)
        meters[dimension.rawValue].largest = largest
        history.clear(dimension.rawValue, at: now)
    }

    mutating func deactivate(_ dimension: Quota.Dimension) { active &= ~(1 << dimension.rawValue) }

    /// Forgets all calls and limits.
    mutating func reset() {
        active = 0
        open = 0
        free = -1
        for place in 0..<capacity {
            records[place].isOpen = false
            records[place].generation &+= 1
        }
        link(0)
        (pausedUntil, exhaustedUntil, isRetired, concurrency) = (.min, .min, false, .max)
    }

    /// Chains the places from `first` on.
    private mutating func link(_ first: Int) {
        for place in first..<capacity { records[place].next = place + 1 < capacity ? Int32(place + 1) : free }
        free = Int32(first)
    }

    /// Lets time pass in all limits.
    func advance(_ now: Int64) {
        for index in 0..<Self.meterCount where active & (1 << index) != 0 {
            history.note(index, meters[index].charged, at: now)
            spw_meter_advance(meters + index, now)
        }
    }

    /// Holds what a call is estimated to use under every limit, or under none.
    mutating func admit(_ tokens: Call.Tokens, at now: Int64) -> Answer {
        if isRetired { return .refused(.keyRetired, by: nil, wait: -1) }
        if now < exhaustedUntil { return .refused(.quotaExhausted, by: nil, wait: exhaustedUntil - now) }
        if now < pausedUntil { return .refused(.rateLimited, by: nil, wait: pausedUntil - now) }
        if open >= concurrency { return .refused(.concurrencyLimited, by: .concurrency, wait: -1) }
        advance(now)
        // First all are asked, then all are charged. Whoever makes the call wait longest is the one to tell of.
        var longest: Int64 = 0, refuser = 0
        for index in 0..<Self.meterCount where active & (1 << index) != 0 {
            let wait = spw_meter_wait(meters + index, now, Self.cost(index, tokens.input, tokens.maxOutput))
            if wait < 0 { return .refused(.exceedsBurst, by: Quota.Dimension(rawValue: index), wait: -1) }
            if wait > longest { (longest, refuser) = (wait, index) }
        }
        if longest > 0 {
            let dimension = Quota.Dimension(rawValue: refuser)
            let isOfDay = dimension == .requestsPerDay || dimension == .tokensPerDay
            return .refused(isOfDay ? .quotaExhausted : .rateLimited, by: dimension, wait: longest)
        }
        number += 1
        for index in 0..<Self.meterCount where active & (1 << index) != 0 {
            spw_meter_admit(meters + index, number, Self.cost(index, tokens.input, tokens.maxOutput))
        }
        var charged = SIMD8<Int64>()
        for index in 0..<Self.meterCount { charged[index] = meters[index].charged }
        history.admitted(charged, at: now)
        return .held(token: keep(tokens))
    }

    private mutating func keep(_ tokens: Call.Tokens) -> UInt64 {
        if free < 0 { grow() }
        let place = Int(free)
        free = records[place].next
        records[place].isOpen = true
        records[place].number = number
        records[place].input = tokens.input
        records[place].output = tokens.maxOutput
        open += 1
        return UInt64(records[place].generation) << 32 | UInt64(place)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Record>.allocate(capacity: 2 * capacity)
        larger.moveInitialize(from: records, count: capacity)
        (larger + capacity).initialize(repeating: Record(), count: capacity)
        records.deallocate()
        records = larger
        capacity *= 2
        link(capacity / 2)
    }

    /// What a call really used; nil: as much as was estimated.
    struct Use {
        var requests: Int64 = 1
        var tokens: (input: Int64, output: Int64)?
    }

    /// Settles the call with this token, once.
    mutating func settle(_ token: UInt64, _ use: Use, at now: Int64) {
        let place = Int(token & 0xFFFF_FFFF)
        guard place < capacity, records[place].isOpen, records[place].generation == UInt32(token >> 32) else { return }
        let record = records[place]
        records[place].isOpen = false
        records[place].generation &+= 1
        records[place].next = free
        free = Int32(place)
        open -= 1
        advance(now)
        for index in 0..<Self.meterCount where active & (1 << index) != 0 && record.number >= meters[index].since {
            let held = Self.cost(index, record.input, record.output)
            meters[index].held -= held
            let used: Int64
            switch index {
            case 0, 1: used = use.requests
            case 2, 3: used = use.tokens.map { $0.input + $0.output } ?? held
            case 4: used = use.tokens?.input ?? held
            default: used = use.tokens?.output ?? held
            }
            if used < held { spw_meter_give_back(meters + index, record.number, held - used) }
            // One absurd figure must not lock out for years.
            let most = Int64(SPW_BUCKET_DEBTS) * meters[index].burst
            if used > held { spw_meter_charge(meters + index, min(used - held, most)) }
            spw_meter_forgive(meters + index)
        }
    }

    /// What a call costs in the meter of a dimension.
    private static func cost(_ index: Int, _ input: UInt32, _ output: UInt32) -> Int64 {
        switch index {
        case 0, 1: 1
        case 2, 3: Int64(input) + Int64(output)
        case 4: Int64(input)
        default: Int64(output)
        }
    }
}
