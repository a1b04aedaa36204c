/// Policies by name: made at first use, listed, and evicted when there are too many.
///
/// Use it for breakers per replica or limits per model, where names come and go. When it is full, the eighth that was
/// used longest ago is dropped; a dropped policy that is still in use elsewhere goes on working there.
public final class Registry<Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        var used: UInt64
    }

    private struct Contents {
        var entries: [String: Entry] = [:]
        var clock: UInt64 = 0
    }

    /// The most values that are kept.
    public let capacity: Int
    private let contents = Locked(Contents())

    /// An empty registry.
    ///
    /// - Parameter capacity: The most values that are kept, 10,000 by default; at least 1.
    /// - Throws: `ConfigurationError` for a capacity below 1.
    public init(capacity: Int = 10_000) throws(ConfigurationError) {
        try Validation("Registry").count(capacity, "capacity", in: 1...Int.max)
        self.capacity = capacity
    }

    /// The value called `name`, made by `make` when there is none.
    ///
    /// `make` runs outside the lock. When two callers make the same name at once, both get the one that was first.
    public func value<Failure: Error>(
        named name: String, orMake make: (String) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        if let value = self[name] { return value }
        let made = try make(name)
        let (value, _) = contents.withLock { contents -> (Value, [Value?]) in
            contents.clock += 1
            if let entry = contents.entries[name] { return (entry.value, []) }
            let old = contents.entries.count >= capacity ? Self.evict(&contents) : []
            contents.entries[name] = Entry(value: made, used: contents.clock)
            return (made, old)
        }
        return value
    }

    /// The value called `name`, nil when there is none.
    ///
    /// Getting counts as a use. Setting replaces: whoever holds the old value goes on with it, whoever asks from now on gets
    /// the new one. Setting nil drops.
    public subscript(name: String) -> Value? {
        get {
            contents.withLock { contents in
                contents.clock += 1
                guard let index = contents.entries.index(forKey: name) else { return nil }
                contents.entries.values[index].used = contents.clock
                return contents.entries.values[index].value
            }
        }
        set {
            _ = contents.withLock { contents -> [Value?] in
                contents.clock += 1
                // What goes away is let go after the lock: its `deinit` may use the registry.
                var old = [contents.entries[name]?.value]
                if old[0] == nil, newValue != nil, contents.entries.count >= capacity { old += Self.evict(&contents) }
                contents.entries[name] = newValue.map { Entry(value: $0, used: contents.clock) }
                return old
            }
        }
    }

    /// All names with their values, in alphabetical order.
    public var all: [(name: String, value: Value)] {
        contents.withLock { contents in contents.entries.map { (name: $0.key, value: $0.value.value) } }
            .sorted { $0.name < $1.name }
    }

    /// Drops the value called `name` and returns it; nil when there is none.
    @discardableResult
    public func remove(_ name: String) -> Value? {
        contents.withLock { contents in contents.entries.removeValue(forKey: name)?.value }
    }

    private static func evict(_ contents: inout Contents) -> [Value?] {
        let uses = contents.entries.values.map(\.used).sorted()
        let bound = uses[max(1, uses.count / 8) - 1]
        let old = contents.entries.values.filter { $0.used <= bound }
        contents.entries = contents.entries.filter { $0.value.used > bound }
        return old.map(\.value)
    }
}
