/// The name of a gate in eight bytes, so that a rejection is a plain value that is copied and dropped at no cost.
///
/// Names live in a table for as long as a gate bears them: a gate of your own registers its name when it is made and
/// releases it when it goes away. A rejection that outlives its gate says `(gone)`.
public struct GateName: Sendable, Hashable, CustomStringConvertible {
    private let index: UInt32
    private let life: UInt32

    private struct Table {
        struct Entry {
            var name: String?
            var life: UInt32 = 0
        }
        var entries: [Entry] = []
        var free: [Int] = []
    }

    private static let table = Locked(Table())

    /// Enters `name` into the table; it stays until ``release()``.
    public init(registering name: String) {
        self = Self.table.withLock { table in
            let index = table.free.popLast() ?? table.entries.count
            if index == table.entries.count { table.entries.append(Table.Entry()) }
            table.entries[index].name = name
            return GateName(index: UInt32(index), life: table.entries[index].life)
        }
    }

    private init(index: UInt32, life: UInt32) {
        self.index = index
        self.life = life
    }

    /// Takes the name out of the table.
    public func release() {
        Self.table.withLock { table in
            guard table.entries[Int(index)].life == life else { return }
            table.entries[Int(index)].name = nil
            table.entries[Int(index)].life &+= 1
            table.free.append(Int(index))
        }
    }

    /// The gate's name, or `(gone)` when there is no such gate any more.
    public var description: String {
        Self.table.withLock { table in
            let entry = table.entries[Int(index)]
            return entry.life == life ? entry.name ?? "(gone)" : "(gone)"
        }
    }
}
