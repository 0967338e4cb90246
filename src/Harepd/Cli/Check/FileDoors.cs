using Harepd.Config;
using Harepd.Files;
using Harepd.Hooks;

namespace Harepd.Cli.Check;

/// <summary>The folders and files that the daemon writes, tried with this process's rights and without touching them.</summary>
internal static class FileDoors
{
    private const int CanWrite = 2;
    private const int CanEnter = 1;
    private const int CanRead = 4;

    public static IEnumerable<DoorAnswer> Try(HarepdConfig config, bool isDataNode)
    {
        yield return Folder("stateDir", config.StateDir, "StateDirectory=harepd in the unit makes it");
        yield return RunFolder(config.RunDir);
        foreach (var (key, path) in config.Hooks.Given)
        {
            yield return HookFile.WhyNotRunnable(path) is { } reason ? DoorAnswer.Shut($"hooks.{key}", reason) : DoorAnswer.Open($"hooks.{key}", $"{path} may be executed by {User}");
        }

        if (config.Logs.FilePath is { } log)
        {
            yield return Folder("logs.filePath", Path.GetDirectoryName(log) ?? "/", "LogsDirectory=harepd in the unit makes it");
        }

        if (isDataNode && config.HbaConfig is { } hba)
        {
            yield return Hba(hba);
        }
    }

    private static DoorAnswer Hba(string path)
    {
        var door = $"pg_hba.conf {path}";
        return WhyNotReplaceable(path) is { Length: > 0 } reason ? DoorAnswer.Shut(door, reason) : DoorAnswer.Open(door, $"readable, replaceable by {User}");
    }

    /// <summary>Empty when this process may replace the file and keep its owner, else why not.</summary>
    internal static string WhyNotReplaceable(string path)
    {
        var target = AtomicFile.Resolve(path);
        if (Posix.Access(target, CanRead) != 0)
        {
            return $"{User} may not read {path}: {Posix.LastError.Text}";
        }

        // The file is replaced by rename, so the right that counts is the folder's.
        var folder = Path.GetDirectoryName(target) ?? "/";
        if (Posix.Access(folder, CanWrite | CanEnter) != 0)
        {
            return $"{User} may not replace {path}, because {folder} cannot be written: {Posix.LastError.Text}";
        }

        var owner = FileFacts.Of(target)?.User;
        return owner is { } id && id != Posix.EffectiveUser() && Posix.EffectiveUser() != 0
            ? $"{path} belongs to user {id}, and only root or its owner can keep it so: run harepd as that user"
            : "";
    }

    private static DoorAnswer RunFolder(string path)
    {
        var folder = Folder("runDir", path, "RuntimeDirectory=harepd in the unit makes it");
        return folder.State == DoorState.Open && FileSystemOf(path) is var system && system is not ("tmpfs" or "ramfs")
            ? DoorAnswer.Shut(folder.Door, $"on {system}: what it holds must vanish at a reboot, so it must be on tmpfs (/run)")
            : folder;
    }

    private static DoorAnswer Folder(string key, string path, string hint)
    {
        var name = $"{key} {path}";
        if (!Directory.Exists(path))
        {
            var parent = Path.GetDirectoryName(path) ?? "/";
            return Directory.Exists(parent) && Posix.Access(parent, CanWrite | CanEnter) == 0
                ? DoorAnswer.Noted(name, "not there yet; it will be made at the start")
                : DoorAnswer.Shut(name, $"not there, and {User} may not make it; {hint}");
        }

        return Posix.Access(path, CanWrite | CanEnter) == 0
            ? DoorAnswer.Open(name, $"writable by {User}")
            : DoorAnswer.Shut(name, $"{User} may not write it: {Posix.LastError.Text}");
    }

    private static string User => Environment.UserName;

    private static string FileSystemOf(string path)
    {
        try
        {
            return new DriveInfo(path).DriveFormat;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "an unknown file system";
        }
    }
}
