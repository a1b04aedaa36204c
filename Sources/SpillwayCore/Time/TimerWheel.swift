/// A hierarchical timer wheel: insert and cancel in constant time, whatever the number of timers.
///
/// Eight levels of 64 slots; a slot of level n spans 64ⁿ ticks. A timer sits on the level of the highest digit (base 64)
/// in which its tick differs from the present, and moves down as the present reaches its slot. A pure value: time is an
/// argument. Source: Varghese and Lauck, *Hashed and hierarchical timing wheels*, SOSP 1987, scheme 7.
package struct TimerWheel<Payload> {
    /// Names a timer until it fires or is cancelled.
    package struct ID: Hashable, Sendable {
        fileprivate let index: Int32
        fileprivate let life: UInt32
    }

    private struct Node {
        var payload: Payload?
        var tick: UInt64 = 0
        var slot: Int32 = -1
        var next: Int32 = -1
        var previous: Int32 = -1
        var life: UInt32 = 0
    }

    private static var levels: Int { 8 }

    private var nodes: [Node] = []
    private var free: Int32 = -1
    private var heads: [Int32]
    private var occupied: [UInt64]
    private var present: UInt64 = 0

    /// How many timers wait.
    package private(set) var count = 0

    package init() {
        heads = Array(repeating: -1, count: Self.levels * 64)
        occupied = Array(repeating: 0, count: Self.levels)
    }

    /// Adds a timer for `tick`, or for the next tick when that is past.
    package mutating func insert(at tick: UInt64, _ payload: Payload) -> ID {
        let index: Int32
        if free >= 0 {
            index = free
            free = nodes[Int(index)].next
        } else {
            index = Int32(nodes.count)
            nodes.append(Node())
        }
        count += 1
        let life = nodes[Int(index)].life
        nodes[Int(index)].payload = payload
        nodes[Int(index)].tick = min(max(tick, present + 1), UInt64(1) << 47)
        link(index)
        return ID(index: index, life: life)
    }

    /// Takes a timer out; nil when it has fired or was cancelled before.
    package mutating func cancel(_ id: ID) -> Payload? {
        guard nodes.indices.contains(Int(id.index)), nodes[Int(id.index)].life == id.life,
            nodes[Int(id.index)].payload != nil
        else { return nil }
        unlink(id.index)
        return release(id.index)
    }

    /// Moves the present to `tick` and returns what became due, earliest first.
    package mutating func advance(to tick: UInt64) -> [Payload] {
        var due: [Payload] = []
        guard count > 0 else {
            present = max(present, tick)
            return due
        }
        while let (level, slot, start) = nextSlot(), start <= tick {
            present = max(present, start)
            var index = heads[level * 64 + slot]
            heads[level * 64 + slot] = -1
            occupied[level] &= ~(1 << UInt64(slot))
            while index >= 0 {
                let next = nodes[Int(index)].next
                if nodes[Int(index)].tick <= present {
                    due.append(release(index)!)
                } else {
                    link(index)
                }
                index = next
            }
        }
        present = max(present, tick)
        return due
    }

    /// The earliest tick at which ``advance(to:)`` may have something to do; nil when no timer waits.
    package var nextTick: UInt64? {
        nextSlot()?.start
    }

    private func nextSlot() -> (level: Int, slot: Int, start: UInt64)? {
        for level in 0..<Self.levels where occupied[level] != 0 {
            // On every level the occupied slots lie at or after the present's own digit.
            let slot = occupied[level].trailingZeroBitCount
            let shift = UInt64(6 * level)
            let block = (present >> (shift + 6)) << (shift + 6)
            return (level, slot, block | UInt64(slot) << shift)
        }
        return nil
    }

    private mutating func link(_ index: Int32) {
        let tick = nodes[Int(index)].tick
        let level = tick == present ? 0 : (63 - (tick ^ present).leadingZeroBitCount) / 6
        let digit = Int((tick >> UInt64(6 * level)) & 63)
        let slot = level * 64 + digit
        let head = heads[slot]
        nodes[Int(index)].slot = Int32(slot)
        nodes[Int(index)].previous = -1
        nodes[Int(index)].next = head
        if head >= 0 { nodes[Int(head)].previous = index }
        heads[slot] = index
        occupied[level] |= 1 << UInt64(digit)
    }

    private mutating func unlink(_ index: Int32) {
        let node = nodes[Int(index)]
        if node.next >= 0 { nodes[Int(node.next)].previous = node.previous }
        if node.previous >= 0 {
            nodes[Int(node.previous)].next = node.next
        } else {
            heads[Int(node.slot)] = node.next
            if node.next < 0 { occupied[Int(node.slot) / 64] &= ~(1 << UInt64(node.slot % 64)) }
        }
    }

    private mutating func release(_ index: Int32) -> Payload? {
        let payload = nodes[Int(index)].payload.take()
        nodes[Int(index)].life &+= 1
        nodes[Int(index)].next = free
        free = index
        count -= 1
        return payload
    }
}
