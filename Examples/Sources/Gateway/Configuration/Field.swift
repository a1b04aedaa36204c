import CostLedger
import Spillway
import Yams

/// One value of the configuration file: it knows where it stands, and says what is wrong with it.
struct Field {
    let file: String
    /// The way to it, such as `policy.backoff.kind`.
    let path: String
    let node: Node

    /// A fault of this value.
    func fault(_ problem: String) -> ConfigurationFault {
        ConfigurationFault(file: file, line: node.mark?.line, field: path, problem: problem)
    }

    /// Throws that the value is not what it must be.
    func refuse(_ expected: String) -> ConfigurationFault {
        fault("\(shown) is not \(expected)")
    }

    /// The fields of a mapping; throws on any key that is not `allowed`.
    func fields(_ allowed: String...) throws -> Fields { try fields(in: allowed) }

    /// The fields of a mapping; throws on any key that is not `allowed`.
    func fields(in allowed: [String]) throws -> Fields {
        let fields = try fields()
        for name in fields.names where !allowed.contains(name) {
            let known = allowed.sorted().joined(separator: ", ")
            throw fields[name]!.fault("unknown field; known here are \(known)")
        }
        return fields
    }

    /// The fields of a mapping with any keys.
    func fields() throws -> Fields {
        guard let mapping = node.mapping else { throw refuse("a mapping of fields") }
        return try Fields(of: self, mapping)
    }

    /// The elements of a list that has at least one.
    func elements() throws -> [Field] {
        guard let sequence = node.sequence, !sequence.isEmpty else {
            throw refuse("a list of at least one element")
        }
        return sequence.enumerated().map { Field(file: file, path: "\(path)[\($0)]", node: $1) }
    }

    /// A text that is not empty.
    func text() throws -> String {
        guard let text = scalar(.str), !text.isEmpty else { throw refuse("a text") }
        return text
    }

    /// A whole number in `range`.
    func count(in range: ClosedRange<Int>) throws -> Int {
        guard scalar(.int) != nil, let value = node.int, range.contains(value) else {
            throw refuse("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A number in `range`.
    func number(in range: ClosedRange<Double>) throws -> Double {
        guard scalar(.int, .float) != nil, let value = node.float, value.isFinite, range.contains(value) else {
            throw refuse("a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// An amount of dollars from its digits, exactly: no `Double` comes near it.
    func dollars() throws -> Money {
        guard let text = scalar(.int, .float), let amount = Money(dollars: text), amount >= .zero else {
            throw refuse("an amount of dollars such as 2.5, of whole nano-dollars and not below 0")
        }
        return amount
    }

    /// True or false.
    func flag() throws -> Bool {
        guard scalar(.bool) != nil, let value = node.bool else { throw refuse("true or false") }
        return value
    }

    /// One of the named values.
    func choice<Value>(_ choices: KeyValuePairs<String, Value>) throws -> Value {
        guard let text = scalar(.str), let value = choices.first(where: { $0.key == text })?.value else {
            throw refuse("one of \(choices.map(\.key).joined(separator: ", "))")
        }
        return value
    }

    /// Runs `make` and blames this field for what the library refuses.
    func blame<Value>(_ make: () throws(ConfigurationError) -> Value) throws -> Value {
        do {
            return try make()
        } catch {
            throw fault("\(error)")
        }
    }

    private func scalar(_ tags: Tag.Name...) -> String? {
        guard case .scalar(let scalar) = node, tags.contains(where: { Tag($0) == node.tag }) else { return nil }
        return scalar.string
    }

    private var shown: String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string.prefix(80))'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
