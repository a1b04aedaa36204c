/// Says what is wrong with a file, in one line.
struct InputError: Error, CustomStringConvertible, Equatable {
    let description: String

    init(_ description: String) { self.description = description }
}
