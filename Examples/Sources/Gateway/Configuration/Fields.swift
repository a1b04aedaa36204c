import CostLedger
import Spillway
import Yams

/// The fields of one mapping of the configuration file.
struct Fields {
    private let owner: Field
    private var values: [String: Field] = [:]
    /// The keys in the order of the file.
    private(set) var names: [String] = []

    /// Reads a mapping; throws for a key that is not a plain text.
    init(of owner: Field, _ mapping: Node.Mapping) throws {
        self.owner = owner
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                throw Field(file: owner.file, path: owner.path, node: key).fault("a key must be a text")
            }
            let name = scalar.string
            let path = owner.path.isEmpty ? name : "\(owner.path).\(name)"
            values[name] = Field(file: owner.file, path: path, node: value)
            names.append(name)
        }
    }

    /// The field called `name`; nil when there is none.
    subscript(name: String) -> Field? { values[name] }

    /// The field called `name`; throws when there is none.
    func required(_ name: String) throws -> Field {
        guard let field = values[name] else { throw owner.fault("the field '\(name)' is missing") }
        return field
    }

    /// Runs `make` and blames what the library refuses: the first field that is there of those that stand for its own in
    /// `names`, or else the whole mapping.
    func blame<Value>(_ names: [String: [String]], _ make: () throws(ConfigurationError) -> Value) throws -> Value {
        do {
            return try make()
        } catch {
            let field = names[error.field, default: []].lazy.compactMap { self[$0] }.first
            throw (field ?? owner).fault("\(error)")
        }
    }

    /// All fields with their names, in the order of the file.
    var all: [(name: String, field: Field)] {
        names.map { (name: $0, field: values[$0]!) }
    }

    /// A time in seconds of at least 1 ms and at most a day; nil when there is no such field.
    func seconds(_ name: String, atLeast least: Double = 0.001) throws -> Duration? {
        try self[name].map { .seconds(try $0.number(in: least...86_400)) }
    }

    /// A time in milliseconds, at most a day; nil when there is no such field.
    func milliseconds(_ name: String) throws -> Duration? {
        try self[name].map { .seconds(try $0.number(in: 0...86_400_000) / 1_000) }
    }

    /// A number; nil when there is no such field.
    func number(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
        try self[name]?.number(in: range)
    }

    /// An amount of dollars, exactly; nil when there is no such field.
    func dollars(_ name: String) throws -> Money? {
        try self[name]?.dollars()
    }

    /// A whole number; nil when there is no such field.
    func count(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        try self[name]?.count(in: range)
    }
}
