extension JSONValue {
    /// A field of an object; null when there is none.
    subscript(key: String) -> JSONValue {
        if case .object(let fields) = self { fields[key] ?? .null } else { .null }
    }

    /// An element of an array; null when there is none.
    subscript(index: Int) -> JSONValue {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { .null }
    }

    /// The elements of an array; none of anything else.
    var items: [JSONValue] {
        if case .array(let items) = self { items } else { [] }
    }

    /// A string; empty for anything else.
    var string: String {
        if case .string(let text) = self { text } else { "" }
    }
}
