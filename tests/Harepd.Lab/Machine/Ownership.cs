using System.Runtime.InteropServices;

namespace Harepd.Lab.Machine;

/// <summary>Gives files to the user that the servers run as.</summary>
internal static partial class Ownership
{
    public static void Give(string path, string user)
    {
        var (uid, gid) = Lookup(user);
        if (Chown(path, uid, gid) != 0)
        {
            throw new LabException($"cannot give {path} to {user}: error {Marshal.GetLastPInvokeError()}");
        }
    }

    private static (uint Uid, uint Gid) Lookup(string user)
    {
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            var fields = line.Split(':');
            if (fields.Length > 3 && fields[0] == user)
            {
                return (uint.Parse(fields[2]), uint.Parse(fields[3]));
            }
        }

        throw new LabException($"there is no user {user}; install postgresql-15");
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint owner, uint group);
}
