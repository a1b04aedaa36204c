/// The textbook's chance: one sequence, in the order of the calls.
struct PythonDice: Dice {
    private var twister: MersenneTwister

    init(seed: UInt64) { twister = MersenneTwister(seed: seed) }

    mutating func pick(below count: Int) -> Int { twister.below(count) }

    mutating func succeeds(in slot: Slot, share: Double) -> Bool { twister.unit() < share }
}
