using System.Runtime.InteropServices;

namespace Harepd.Lab.Machine;

/// <summary>Disks that a test put below a lab's folder, to fill or to freeze them.</summary>
internal static partial class Mounts
{
    private const int Detach = 2;

    /// <summary>Takes them away: at once for whoever looks, for good when the last file is closed.</summary>
    public static void RemoveBelow(string folder)
    {
        var places = File.ReadAllLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4]);
        foreach (var place in places.Where(place => place.StartsWith(folder + "/", StringComparison.Ordinal)))
        {
            Unmount(place, Detach);
        }
    }

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string place, int flags);
}
