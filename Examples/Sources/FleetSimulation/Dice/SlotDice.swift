/// Chance that is the same for all policies: what becomes of a call depends on its slot alone.
///
/// A policy that calls less, or in another order, meets the same fate in the same slot, so that policies differ by what
/// they do and not by their luck.
struct SlotDice: Dice {
    private let seed: UInt64
    private var picks: UInt64

    init(seed: UInt64) {
        self.seed = Self.mixed(seed &+ 0x9e37_79b9_7f4a_7c15)
        picks = Self.mixed(self.seed)
    }

    mutating func pick(below count: Int) -> Int {
        picks &+= 0x9e37_79b9_7f4a_7c15
        return Int(Self.mixed(picks).multipliedFullWidth(by: UInt64(count)).high)
    }

    func succeeds(in slot: Slot, share: Double) -> Bool {
        let place = UInt64(slot.tick) << 32 | UInt64(slot.replica) << 16 | UInt64(slot.index)
        return Double(Self.mixed(Self.mixed(place) ^ seed) >> 11) * 0x1p-53 < share
    }

    /// The finalizer of SplitMix64 (Steele, Lea and Flood, *OOPSLA* 2014).
    private static func mixed(_ value: UInt64) -> UInt64 {
        var word = value
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
