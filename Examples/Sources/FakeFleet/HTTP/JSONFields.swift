/// The fields of a JSON object, read with errors that name the field and its value; an explicit null counts as absent.
struct JSONFields: Sendable {
    let values: [String: JSONValue]
    private let path: String?

    /// The fields of `value`, throwing an ``APIError`` unless it is an object; `path` leads to it within the body.
    init(_ value: JSONValue, path: String? = nil) throws {
        guard case .object(let values) = value else {
            throw APIError.invalid(path, value, "must be a JSON object")
        }
        self.values = values.filter { $0.value != .null }
        self.path = path
    }

    /// A text field; `nil` when absent.
    func string(_ key: String) throws -> String? {
        guard let value = values[key] else { return nil }
        guard case .string(let text) = value else { throw invalid(key, "must be a string") }
        return text
    }

    /// A number field; `nil` when absent.
    func number(_ key: String) throws -> Double? {
        guard let value = values[key] else { return nil }
        guard case .number(let number) = value else { throw invalid(key, "must be a number") }
        return number
    }

    /// A field of a whole number of at least 1; `nil` when absent.
    func positive(_ key: String) throws -> Int? {
        guard let number = try number(key) else { return nil }
        guard let whole = Int(exactly: number), whole >= 1 else {
            throw invalid(key, "must be an integer of at least 1")
        }
        return whole
    }

    /// A boolean field; `nil` when absent.
    func bool(_ key: String) throws -> Bool? {
        guard let value = values[key] else { return nil }
        guard case .bool(let flag) = value else { throw invalid(key, "must be true or false") }
        return flag
    }

    /// The value of a field that has to be there.
    func required<Value>(_ key: String, _ value: Value?) throws -> Value {
        guard let value else { throw missing(key) }
        return value
    }

    /// The error of a field that is not there.
    func missing(_ key: String) -> APIError {
        APIError(.badRequest, "missing field: \(name(key))", param: name(key))
    }

    /// The error of a field whose value is no good.
    func invalid(_ key: String, _ reason: String) -> APIError {
        APIError.invalid(name(key), values[key] ?? .null, reason)
    }

    /// The path of a field within the body.
    func name(_ key: String) -> String {
        path.map { "\($0).\(key)" } ?? key
    }
}
