# Catalogues: `make` compiles po/*.po beside the program, `make po` takes new sentences of the sources over into them.
PO = $(wildcard po/*.po)
MO = $(PO:po/%.po=$(B)/po/%/LC_MESSAGES/abgleich.mo)
POSRC = $(wildcard $(DIRS:%=%/*.c) $(DIRS:%=%/*.h))

.PHONY: po
all: $(MO)
$(B)/po/%/LC_MESSAGES/abgleich.mo: po/%.po
	@mkdir -p $(@D)
	msgfmt --check-format -o $@ $<
po:
	xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=ngettext:1,2 --sort-by-file --no-location --package-name=abgleich \
		--omit-header -o $(B)/abgleich.pot $(sort $(POSRC))
	for f in $(PO); do msgmerge --quiet --no-fuzzy-matching --no-location --update --backup=none $$f $(B)/abgleich.pot; done
