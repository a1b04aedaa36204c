import Spillway

extension LoadShedder.Configuration {
    /// Reads the field `shed`.
    init(_ field: Field) throws {
        let fields = try field.fields("sheddable", "sheddablePlus", "critical", "criticalPlus")
        func band(_ name: String, or standard: LoadShedder.Band) throws -> LoadShedder.Band {
            guard let own = fields[name] else { return standard }
            if own.node.string == "never" { return .never }
            let band = try own.fields("from", "to")
            return .init(
                try band.required("from").number(in: 0...1_000), try band.required("to").number(in: 0...1_000))
        }
        let standard = Self()
        var made = standard
        made.sheddable = try band("sheddable", or: standard.sheddable)
        made.sheddablePlus = try band("sheddablePlus", or: standard.sheddablePlus)
        made.critical = try band("critical", or: standard.critical)
        made.criticalPlus = try band("criticalPlus", or: standard.criticalPlus)
        let checked = made
        self = try field.blame { () throws(ConfigurationError) in
            _ = try LoadShedder("check", checked) { _ in 0 }
            return checked
        }
    }
}
