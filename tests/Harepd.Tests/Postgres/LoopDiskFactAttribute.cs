using Xunit;

namespace Harepd.Tests.Postgres;

/// <summary>A test that needs a loop device for a disk that can be frozen: skipped with the reason in a container without one.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LoopDiskFactAttribute : FactAttribute
{
    public LoopDiskFactAttribute()
    {
        if (!FreezableDisk.IsPossible)
        {
            Skip = "no loop device here: a disk cannot be frozen";
        }
    }
}
