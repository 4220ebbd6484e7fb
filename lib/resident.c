/* resident: walks the loaded objects (dl_iterate_phdr(3)) and their segments (ELF specification,
 * "Program header"). Only segments that are never written are let go: a page of them is always as
 * in the file. */
#include "resident.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Relocations in the code itself (old assembler, other compilers): its pages are ours alone then.
 */
static bool has_text_relocations(const struct dl_phdr_info *object, const ElfW(Phdr) * dynamic)
{
    const ElfW(Dyn) *d = (const void *)(object->dlpi_addr + dynamic->p_vaddr);
    for (; d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)))
            return true;
    return false;
}

static void let_go(const struct dl_phdr_info *object, const ElfW(Phdr) * segment)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
    uintptr_t to = object->dlpi_addr + segment->p_vaddr + segment->p_filesz;
    madvise((void *)from, to - from, MADV_DONTNEED); /* refused for the vdso, which is no file */
}

static int trim_object(struct dl_phdr_info *object, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    for (unsigned i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC &&
            has_text_relocations(object, &object->dlpi_phdr[i]))
            return 0;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
            let_go(object, segment);
    }
    return 0;
}

void resident_trim(void)
{
    dl_iterate_phdr(trim_object, NULL);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
