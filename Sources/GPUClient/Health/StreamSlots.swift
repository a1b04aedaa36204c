/// The places of streams that run, reused when they end; nothing is allocated below the most that ever ran at once.
struct StreamSlots: ~Copyable {
    private struct Slot {
        /// Odd while a stream has it, so that an old id fits no later stream.
        var life: UInt32 = 0
        /// The free slot after this one.
        var next = none
        /// Of the stream that has it.
        var number: UInt64 = 0
    }

    private static let none = UInt32.max

    private var slots = UnsafeMutablePointer<Slot>.allocate(capacity: 8)
    private var capacity = 8
    private var used = 0
    private var free = none
    /// How many streams ever began.
    private(set) var begun: UInt64 = 0
    /// How many streams run.
    private(set) var running = 0

    deinit { slots.deallocate() }

    mutating func take() -> StreamID {
        if free == Self.none { addSlot() }
        let slot = free
        free = slots[Int(slot)].next
        slots[Int(slot)].life &+= 1
        running += 1
        begun += 1
        slots[Int(slot)].number = begun
        return StreamID(slot: slot, life: slots[Int(slot)].life, number: begun)
    }

    /// Whether the stream ran.
    mutating func give(_ id: StreamID) -> Bool {
        let slot = Int(id.slot)
        guard slot < used, id.life & 1 == 1, slots[slot].life == id.life else { return false }
        slots[slot].life &+= 1
        slots[slot].next = free
        free = id.slot
        running -= 1
        return true
    }

    /// The streams that run.
    var all: [StreamID] {
        (0..<used).compactMap { slot in
            let life = slots[slot].life
            return life & 1 == 1 ? StreamID(slot: UInt32(slot), life: life, number: slots[slot].number) : nil
        }
    }

    private mutating func addSlot() {
        if used == capacity {
            let larger = UnsafeMutablePointer<Slot>.allocate(capacity: 2 * capacity)
            larger.moveInitialize(from: slots, count: used)
            slots.deallocate()
            slots = larger
            capacity *= 2
        }
        (slots + used).initialize(to: Slot())
        free = UInt32(used)
        used += 1
    }
}
