import CostLedger
import HTTPTypes
import Hummingbird
import Spillway

extension Call.Needs {
    /// What the headers of a request say that the answer must be like.
    ///
    /// - Parameter guess: How difficult the task is where no header says so.
    /// - Throws: ``APIError`` with the status 400 that names the bad header.
    init(_ headers: HTTPFields, guess: () -> Double = { 0 }) throws {
        func text(_ name: String) -> String? { headers[.init(name)!] }
        func share(_ name: String, or standard: () -> Double) throws -> Double {
            guard let text = text(name) else { return standard() }
            guard let value = Double(text), (0...1).contains(value) else {
                throw APIError(.badRequest, "\(name): must be a number from 0 to 1", param: name)
            }
            return value
        }
        self.init(
            quality: try share("x-spillway-quality") { 0 }, difficulty: try share("x-spillway-difficulty", or: guess))
        let name = "x-spillway-value-dollars"
        guard let text = text(name) else { return }
        guard let amount = Money(dollars: text), amount >= .zero else {
            throw APIError(.badRequest, "\(name): must be an amount of dollars such as 0.02", param: name)
        }
        value = amount.nanodollars
    }
}
