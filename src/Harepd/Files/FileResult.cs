namespace Harepd.Files;

/// <summary>How a file operation ended: done, or one sentence that names the step, the path and the kernel's reason.</summary>
/// <param name="Error">Null when it was done.</param>
internal readonly record struct FileResult(string? Error)
{
    public static readonly FileResult Done;

    public bool IsDone => Error is null;

    /// <summary>Failed at <paramref name="step"/>, with the reason of the last system call on this thread.</summary>
    public static FileResult Failed(string step, string path) => new($"{step} {path}: {Posix.LastError.Text}");
}
