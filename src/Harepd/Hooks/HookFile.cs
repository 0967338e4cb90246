using Harepd.Files;

namespace Harepd.Hooks;

/// <summary>Whether a hook could be run, told from its file.</summary>
internal static class HookFile
{
    private const int CanExecute = 1;

    /// <summary>Null when this process may run it, else why not and what mends it.</summary>
    public static string? WhyNotRunnable(string path)
    {
        if (FileFacts.Of(path) is not { } facts)
        {
            return $"{path} is not there, or may not be seen by {Environment.UserName}";
        }

        if (!facts.IsRegular)
        {
            return $"{path} is no file";
        }

        return Posix.Access(path, CanExecute) == 0 ? null : $"{path} may not be executed by {Environment.UserName}: chmod +x {path}";
    }
}
