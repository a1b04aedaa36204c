import ArgumentParser
import GPUClient

/// Prints what the GPUs of this machine are doing.
@main
struct GPUReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints what the NVIDIA GPUs of this machine are doing, or that there are none.",
        discussion: "Exits with 0 also without a GPU. A dash is a fact that the driver does not tell.")

    func run() {
        let gpus = GPUFacts.read()
        guard !gpus.isEmpty else { return print("no NVIDIA GPU here") }
        print(FactTable(gpus).text)
    }
}
